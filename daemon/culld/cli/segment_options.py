"""The options of `culld segment`; only argparse is imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from culld.cli.config_option import add_config

if TYPE_CHECKING:
    import argparse


def add_segment(parser: argparse.ArgumentParser) -> None:
    """Add the photo or the clip, and the options."""
    add_config(parser)
    parser.add_argument("photo", type=Path, metavar="PHOTO", help="the photo or the clip to segment; it is only read")
    parser.add_argument("--out", type=Path, metavar="OUT", help="write it under its contours: O.png, of a clip O.webm")
    parser.add_argument("--json", action="store_true", help="one JSON object, with the polygons or the times")
