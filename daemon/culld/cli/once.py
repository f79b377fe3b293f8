"""`culld once`: process what is there, then exit."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from culld.cli import config_option, exit_codes
from culld.records import Verdict, display_path

if TYPE_CHECKING:
    import argparse

    from culld.app.once import Counts
    from culld.config import Config
    from culld.records import RootedPath

_MOST_NAMED = 20


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer the command."""
    parser = subparsers.add_parser("once", help="process what is there, then exit")
    config_option.add_option(parser)
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="files or folders below the watched folders (all if none)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Sweep once, with a progress bar on a terminal."""
    _, config = config_option.load(args)
    tally = _sweep(config, args.paths)
    if args.json:
        print(json.dumps(_counts(tally)))
    else:
        print("\n".join([_summary(tally), *_named(tally)]))
    failed = tally.failures or tally.waiting or tally.unreadable_folders
    bad = failed or tally.unfinished or tally.verdicts[Verdict.UNREADABLE]
    return exit_codes.SOME_FAILED if bad else exit_codes.FINE


def _counts(tally: Counts) -> dict[str, object]:
    return {
        **{str(verdict): count for verdict, count in tally.verdicts.items()},
        "failed": len(tally.failures),
        "waiting": len(tally.waiting),
        "unread": len(tally.unreadable_folders),
        "unfinished": tally.unfinished,
        "known": tally.known,
        "faults": [{"path": display_path(place.path), "reason": why} for place, why in _failed(tally).items()],
    }


def _failed(tally: Counts) -> dict[RootedPath, str]:
    return tally.failures | tally.waiting


def _named(tally: Counts) -> list[str]:
    """A line for each of the first photos and folders that failed."""
    lines = [f"  {display_path(place.path)}: {why}" for place, why in _failed(tally).items()]
    lines += [f"  {display_path(folder)}: {why}" for folder, why in tally.unreadable_folders.items()]
    more = len(lines) - _MOST_NAMED
    return [*lines[:_MOST_NAMED], f"  and {more} more, see culld status"] if more > 0 else lines


def _sweep(config: Config, paths: list[Path]) -> Counts:
    from culld.app.engine_pool import open_pool  # noqa: PLC0415
    from culld.app.once import OnePass  # noqa: PLC0415
    from culld.app.startup import claim_folders, open_journal  # noqa: PLC0415
    from culld.cli.progress import bar  # noqa: PLC0415
    from culld.files.locks import RootLocks, state_lock  # noqa: PLC0415

    with (
        state_lock(config.state),
        RootLocks(config.state) as claims,
        open_journal(config) as journal,
        open_pool(config) as pool,
    ):
        claim_folders(config, journal, claims)
        sweep = OnePass(config, journal, pool)
        with bar("culling", sweep.count(paths), shown=sys.stderr.isatty()) as advance:
            return sweep.process(paths, advance)


def _summary(tally: Counts) -> str:
    told = [f"{count} {_WORDS[verdict]}" for verdict, count in tally.verdicts.items() if count]
    told += [f"{len(tally.failures)} failed (see culld status)"] if tally.failures else []
    told += [f"{len(tally.waiting)} failed earlier and wait for another try"] if tally.waiting else []
    told += [f"{len(tally.unreadable_folders)} folders cannot be read"] if tally.unreadable_folders else []
    told += [f"{tally.unfinished} still being written, left for the next time"] if tally.unfinished else []
    return ", ".join(told) if told else "nothing new"


_WORDS = {
    Verdict.KEEP: "kept",
    Verdict.TAG: "tagged",
    Verdict.QUARANTINE: "quarantined",
    Verdict.UNREADABLE: "unreadable, left where they are",
}
