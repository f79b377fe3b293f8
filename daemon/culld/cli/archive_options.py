"""The options of `culld archive`; only argparse is imported."""

from __future__ import annotations

import argparse
from pathlib import Path

from culld.archive.records import SHARD_SIZE, SharpnessChoice
from culld.cli.config_option import add_config


def add_archive(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    score = actions.add_parser("score", help="write the scores of photos as Parquet; the photos are only read")
    add_config(score)
    score.add_argument(
        "uris", nargs="+", metavar="URI", help="folders, globs, s3:// and gs:// prefixes, or lists of them"
    )
    score.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the folder of the archive, a new one first"
    )
    score.add_argument(
        "--workers", type=_at_least_one, metavar="N", help="processors for actors (as configured; on a cluster all)"
    )
    score.add_argument(
        "--shard-size",
        type=_at_least_one,
        default=SHARD_SIZE,
        metavar="N",
        help=f"photos in one Parquet file ({SHARD_SIZE})",
    )
    score.add_argument(
        "--sharpness",
        choices=[str(each) for each in SharpnessChoice],
        default=str(SharpnessChoice.BURSTS),
        help="the photos whose sharpness is measured in full resolution (bursts); each takes about twice the time",
    )
    score.add_argument(
        "--address",
        default="",
        metavar="ADDRESS",
        help="auto, HOST:PORT or ray://HOST:PORT: a Ray cluster that runs already, instead of this machine",
    )
    score.add_argument("--json", action="store_true", help="print the counts as JSON")


def _at_least_one(text: str) -> int:
    """Return a number from 1 to 100,000; raises argparse.ArgumentTypeError for any other text."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r}: write a whole number from 1 to 100000")
    return int(text)
