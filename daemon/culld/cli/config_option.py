"""The option that almost every command has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse

_HELP: Final = "configuration file (otherwise $CULLD_CONFIG, ~/.config/culld/config.yaml, or /etc/culld/config.yaml)"


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add `--config`."""
    parser.add_argument("--config", type=Path, metavar="F", help=_HELP)
