"""`culld completion`: what a shell needs to complete culld's commands and options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shtab

from culld.cli import build_parser, exit_codes

if TYPE_CHECKING:
    import argparse


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    print(shtab.complete(build_parser(), shell=args.shell))
    return exit_codes.FINE
