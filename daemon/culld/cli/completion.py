"""`culld completion`: the completion script of a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shtab

from culld.cli import build_parser, exit_codes

if TYPE_CHECKING:
    import argparse


def run(args: argparse.Namespace) -> int:
    """Print the script of the shell."""
    print(shtab.complete(build_parser(), shell=args.shell))
    return exit_codes.FINE
