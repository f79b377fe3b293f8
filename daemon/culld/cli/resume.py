"""`culld resume`: release the brake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.app.resume import release_brake
from culld.cli import configuration, exit_codes

if TYPE_CHECKING:
    import argparse


def run(args: argparse.Namespace) -> int:
    """Release the brake; a running daemon notices with its next decision."""
    path, config = configuration.load(args)
    if release_brake(config):
        print(
            "the brake is off; what it held back was only tagged, and stays. To move that as well:"
            f" culld policy simulate {path} --apply"
        )
    else:
        print("the brake was not on")
    return exit_codes.FINE
