"""The options of `culld enhance`; only argparse is imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.cli.config_option import add_config

if TYPE_CHECKING:
    import argparse

REPAIRS: Final = ("auto", "jpeg", "exposure")


def add_enhance(parser: argparse.ArgumentParser) -> None:
    """Add the photos and the options."""
    add_config(parser)
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PHOTO", help="photos, or folders with photos; they are only read"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--repair",
        choices=REPAIRS,
        default="auto",
        help="what to repair (default: auto, the exposure if it is wrong, else the traces of JPEG compression)",
    )
