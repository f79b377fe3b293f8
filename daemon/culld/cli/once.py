"""`culld once`: process the photos that are there, then exit."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from culld.app.once import OnceRequest, run_once
from culld.cli import configuration, exit_codes
from culld.cli.progress import photo_bar
from culld.cli.terminal import terminal_of
from culld.records import Verdict, display_path
from culld.stages.watch.passed_over import sentence

if TYPE_CHECKING:
    import argparse

    from culld.app.once_counts import Counts
    from culld.records import RootedPath

_MOST_NAMED = 20
_HINT = ["look: culld web, or culld log --verdict quarantine; undo: culld restore --all"]


def run(args: argparse.Namespace) -> int:
    """Process once, with a progress bar on a terminal; return 1 if a photo failed or a folder cannot be read."""
    _, config = configuration.load(args)
    tally = run_once(config, OnceRequest(tuple(args.paths), args.rejudge), photo_bar)
    if args.json:
        print(json.dumps(_counts(tally)))
    else:
        terminal = terminal_of(sys.stdout, os.environ)
        hint = _HINT if terminal.width is not None and tally.verdicts[Verdict.QUARANTINE] else []
        texts = (_summary(tally), *_named(tally), *hint)
        print("\n".join(line for text in texts for line in terminal.labelled("", text)))
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
        "passed_over": tally.passed_over,
        "faults": [{"path": display_path(place.path), "reason": why} for place, why in _failed(tally).items()],
    }


def _failed(tally: Counts) -> dict[RootedPath, str]:
    return tally.failures | tally.waiting


def _named(tally: Counts) -> list[str]:
    """Return one line per failed photo and folder, at most 20, and the number of the others."""
    lines = [f"  {display_path(place.path)}: {why}" for place, why in _failed(tally).items()]
    lines += [f"  {display_path(folder)}: {why}" for folder, why in tally.unreadable_folders.items()]
    lines += [f"  {passed_over}"] if (passed_over := sentence(tally.passed_over)) else []
    more = len(lines) - _MOST_NAMED
    return [*lines[:_MOST_NAMED], f"  and {more} more, see culld status"] if more > 0 else lines


def _summary(tally: Counts) -> str:
    parts = [f"{count} {PARTICIPLES[verdict]}" for verdict, count in tally.verdicts.items() if count]
    parts += [f"{len(tally.failures)} failed (see culld status)"] if tally.failures else []
    parts += [f"{len(tally.waiting)} failed earlier and wait for another try"] if tally.waiting else []
    parts += [f"{len(tally.unreadable_folders)} folders cannot be read"] if tally.unreadable_folders else []
    parts += [f"{tally.unfinished} still being written, left for the next time"] if tally.unfinished else []
    return ", ".join(parts) if parts else "nothing new"


PARTICIPLES = {
    Verdict.KEEP: "kept",
    Verdict.TAG: "tagged",
    Verdict.QUARANTINE: "quarantined",
    Verdict.UNREADABLE: "unreadable, left where they are",
}
