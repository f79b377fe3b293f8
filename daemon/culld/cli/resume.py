"""`culld resume`: release the brake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.app.resume import release_brake
from culld.cli import configuration, exit_codes

if TYPE_CHECKING:
    import argparse


def run(args: argparse.Namespace) -> int:
    """Release the brake; a running daemon checks it at its next decision."""
    path, config = configuration.load(args)
    if release_brake(config):
        print(
            "Moving is enabled again. Photos tagged while it was stopped are not moved; to move them:"
            f" culld policy simulate {path} --apply"
        )
    else:
        print("Moving was not stopped: the brake is not active.")
    return exit_codes.FINE
