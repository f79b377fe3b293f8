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
    _add_simulate(actions.add_parser("simulate", help="count what a policy would do to an archive; changes no file"))
    _add_apply(
        actions.add_parser("apply", help="judge photos of this machine by the scores of an archive: tags, moves")
    )
    _add_duplicates(actions.add_parser("duplicates", help="list the photos that are copies; nothing is moved"))


def _add_simulate(simulate: argparse.ArgumentParser) -> None:
    simulate.add_argument("policy", type=Path, metavar="POLICY", help="the configuration file with that policy")
    simulate.add_argument("archive", type=Path, metavar="DIR", help="the folder of the archive")
    simulate.add_argument("--json", action="store_true", help="print all counts and examples as JSON")
    simulate.set_defaults(module="archive_simulate")


def _add_apply(apply: argparse.ArgumentParser) -> None:
    apply.add_argument("file", type=Path, metavar="POLICY", help="the configuration file with the policy")
    apply.add_argument("archive", type=Path, metavar="DIR", help="the folder of the archive")
    apply.add_argument(
        "--root", type=Path, required=True, metavar="PATH", help="the photos: a folder at or below a watched one"
    )
    apply.add_argument(
        "--from",
        dest="source",
        metavar="URI",
        help="what PATH was called when it was scored: a URI of the archive, or a folder below one",
    )
    apply.add_argument("--dry-run", action="store_true", help="print what would be done, and change nothing")
    apply.add_argument("--json", action="store_true", help="print the counts as JSON")
    apply.set_defaults(module="archive_apply")


def _add_duplicates(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder of the archive")
    parser.add_argument("--similar", action="store_true", help="list groups of similar shots as well, such as bursts")
    parser.add_argument("--limit", type=_at_least_one, metavar="N", help="print so many groups (50; with --json all)")
    parser.add_argument("--json", action="store_true", help="print each group as one line of JSON")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write all groups to a new file, .csv or .parquet")
    parser.set_defaults(module="archive_duplicates")


def _at_least_one(text: str) -> int:
    """Return a number from 1 to 100,000; raises argparse.ArgumentTypeError for any other text."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r}: write a whole number from 1 to 100000")
    return int(text)
