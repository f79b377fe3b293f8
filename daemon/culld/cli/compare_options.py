"""The options of `culld compare` and of `culld compare bench`; only argparse is imported."""

from __future__ import annotations

import argparse
from pathlib import Path

from culld.cli.config_option import add_config

PAIRS = 400
OUT = Path("runs/compare")


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Add both photos and the options; `culld compare bench` takes some of its own."""
    add_config(parser)
    parser.add_argument("first", metavar="A", help="a photo, which is only read; `bench` without B runs the bench")
    parser.add_argument("second", nargs="?", metavar="B", help="another photo of the same scene")
    parser.add_argument("--out", type=Path, metavar="P.png", help="write both photos side by side with what differs")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--model", default="content", metavar="NAME", help="what finds changed content (default: content)"
    )
    _add_bench_options(parser)


def _add_bench_options(parser: argparse.ArgumentParser) -> None:
    """Add `--photos`, `--pairs` and `--models`; `--out` and `--json` are those of `culld compare`."""
    group = parser.add_argument_group("bench", "options of `culld compare bench`, whose --out is a folder")
    group.add_argument("--photos", type=Path, metavar="DIR", help="folder of photos with an index.csv")
    group.add_argument("--pairs", type=_count, default=PAIRS, metavar="N", help=f"test pairs (default: {PAIRS})")
    group.add_argument("--models", metavar="NAME,...", help="models of change to measure (default: all)")


def _count(text: str) -> int:
    """Return a whole number from 16 on, which is every kind of pair; raises argparse.ArgumentTypeError otherwise."""
    if not text.isascii() or not text.isdecimal() or len(text) > 6 or int(text) < 16:
        raise argparse.ArgumentTypeError(f"{text[:40]!r}: write a whole number from 16 on")
    return int(text)
