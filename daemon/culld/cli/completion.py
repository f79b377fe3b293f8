"""`culld completion`: what a shell needs to complete culld's commands and options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.cli import exit_codes

if TYPE_CHECKING:
    import argparse

_SHELLS = ("bash", "zsh", "fish")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer the command."""
    parser = subparsers.add_parser("completion", help="print the completion script of a shell: bash, zsh, fish")
    parser.add_argument("shell", choices=_SHELLS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab  # noqa: PLC0415 (only this command needs it)

    from culld.cli import build_parser  # noqa: PLC0415 (which imports this module)

    print(shtab.complete(build_parser(), shell=args.shell))
    return exit_codes.FINE
