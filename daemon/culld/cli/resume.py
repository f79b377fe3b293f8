"""`culld resume`: let go of the brake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.cli import config_option, exit_codes

if TYPE_CHECKING:
    import argparse


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer the command."""
    parser = subparsers.add_parser("resume", help="move photos again after the brake stopped it")
    config_option.add_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Release the brake; a running daemon notices with its next decision."""
    from culld.app.startup import open_journal_without_replay  # noqa: PLC0415
    from culld.clock import SystemClock  # noqa: PLC0415
    from culld.stages.decide.brake import resume  # noqa: PLC0415

    path, config = config_option.load(args)
    with open_journal_without_replay(config) as journal:
        was_on = resume(journal, SystemClock())
    if was_on:
        print(
            "the brake is off; what it held back was only tagged, and stays. To move that as well:"
            f" culld policy simulate {path} --apply"
        )
    else:
        print("the brake was not on")
    return exit_codes.FINE
