"""`culld resume`: let go of the brake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.cli import codes, settings

if TYPE_CHECKING:
    import argparse


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer the command."""
    parser = subparsers.add_parser("resume", help="move photos again after the brake stopped it")
    settings.add_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Release the brake; a running daemon notices with its next decision."""
    from culld.service.braking import resume  # noqa: PLC0415
    from culld.service.clock import SystemClock  # noqa: PLC0415
    from culld.service.opening import bare_journal  # noqa: PLC0415

    path, config = settings.load(args)
    with bare_journal(config) as journal:
        was_on = resume(journal, SystemClock())
    if was_on:
        print(
            "the brake is off; what it held back was only tagged, and stays. To move that as well:"
            f" culld policy simulate {path} --apply"
        )
    else:
        print("the brake was not on")
    return codes.FINE
