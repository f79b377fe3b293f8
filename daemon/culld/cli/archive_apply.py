"""`culld archive apply`: judge the photos of this machine by the scores of an archive, and print the counts."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from culld.app.taken_scores import Origin
from culld.archive.apply import ApplyRequest, apply_archive
from culld.cli import exit_codes
from culld.cli.progress import photo_bar
from culld.cli.terminal import Terminal, terminal_of
from culld.config import load_config
from culld.records import Verdict, display_path

if TYPE_CHECKING:
    import argparse
    from collections import Counter
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from culld.app.taken_counts import Found, Taken
    from culld.archive.apply import Applied, Rows
    from culld.records import Plan

_MOST_NAMED = 20


def run(args: argparse.Namespace) -> int:
    """Judge, with a progress bar on a terminal; return 1 if a photo failed or a folder cannot be read."""
    config = load_config(args.file, os.environ)
    request = ApplyRequest(args.archive, args.root, args.source, args.dry_run)
    shown = _Shown(quiet=args.json)
    applied = apply_archive(config, request, shown, shown.rows)
    if args.json:
        print(json.dumps(as_json(applied, dry_run=args.dry_run)))
    else:
        terminal = terminal_of(sys.stdout, os.environ)
        print("\n".join([*as_text(applied, terminal, dry_run=args.dry_run), *advice(applied, args, terminal)]))
    counts = applied.taken.counts
    bad = counts.failures or counts.unreadable_folders or counts.unfinished or counts.verdicts[Verdict.UNREADABLE]
    return exit_codes.SOME_FAILED if bad else exit_codes.FINE


@dataclass(slots=True)
class _Shown:
    """Prints the counts of rows and photos before the first photo is judged, and shows a bar on a terminal."""

    quiet: bool
    _rows: int = 0

    def rows(self, rows: Rows) -> None:
        """Print how many rows there are, and whether their scan has ended."""
        self._rows = rows.count
        self._print(f"{rows.count} rows of photos below {rows.base}")
        if rows.missing_shards:
            print(
                f"the last scan of the archive has not ended: {rows.missing_shards} of its shards are not written; the"
                " rows that are there are used",
                file=sys.stderr,
            )

    def found(self, found: Found) -> None:
        """Print how many photos there are, and how many rows are of other ones."""
        known = found.scored - found.waiting
        self._print(f"  {found.scored} of photos that are here: {known} judged before, {found.waiting} to judge now")
        self._print(f"  {max(0, self._rows - found.scored)} of no file here: moved, renamed, removed, or in quarantine")
        if found.others:
            self._print(f"{found.others} other files have no row, and are left")

    def progress(self, total: int, doing: str) -> AbstractContextManager[Callable[[int], None]]:
        """Begin a bar."""
        return photo_bar(total, doing)

    def _print(self, line: str) -> None:
        if not self.quiet:
            print("\n".join(terminal_of(sys.stdout, os.environ).labelled("", line)), flush=True)


def as_json(applied: Applied, *, dry_run: bool) -> dict[str, Any]:
    """Return what became of the photos, as the values of a JSON object."""
    taken, counts = applied.taken, applied.taken.counts
    return {
        "dry_run": dry_run,
        "rows": applied.rows.count,
        "without_file": applied.without_file,
        "missing_shards": applied.rows.missing_shards,
        "without_row": taken.found.others,
        "known": counts.known,
        **{str(verdict): count for verdict, count in counts.verdicts.items()},
        "held": taken.held,
        "scores": {str(origin): taken.origins[origin] for origin in Origin},
        "rules": [{"verdict": verdict, "rule": rule, "photos": n} for (verdict, rule), n in taken.rules.most_common()],
        "defects": [
            {"verdict": verdict, "keyword": word, "photos": n} for (verdict, word), n in taken.keywords.most_common()
        ],
        "brake": taken.brake or None,
        "unfinished": counts.unfinished,
        "unread": len(counts.unreadable_folders),
        "faults": [{"path": display_path(place.path), "reason": why} for place, why in counts.failures.items()],
        "examples": [_example_json(plan) for plan in taken.examples],
    }


def _example_json(plan: Plan) -> dict[str, str]:
    path = display_path(plan.photo.place.path)
    return {"path": path, "verdict": plan.verdict, "rule": plan.rule, "reason": plan.reason}


def as_text(applied: Applied, terminal: Terminal, *, dry_run: bool) -> Iterator[str]:
    """Yield what became of the photos, or would, line by line."""
    taken, counts = applied.taken, applied.taken.counts
    verb = _WOULD_BE if dry_run else _WERE
    origins = taken.origins
    if origins[Origin.CHANGED] or origins[Origin.UNSCORED]:
        yield from terminal.labelled(
            "",
            f"scored now: {origins[Origin.CHANGED]} photos that changed since,"
            f" {origins[Origin.UNSCORED]} that the archive has no scores of",
        )
    yield from (f"  {verb[verdict]:<38}{counts.verdicts[verdict]:>8}" for verdict in Verdict)
    yield from _by("by rule", taken.rules)
    yield from _by("by keyword", taken.keywords)
    yield from _examples(taken, terminal, dry_run=dry_run)
    if taken.held:
        yield ""
        yield f"{taken.held} rejected photos {'would stay' if dry_run else 'stay'}, for the mode or the brake"
    yield from _failed(taken, terminal)


def _by(title: str, counts: Counter[tuple[Verdict, str]]) -> Iterator[str]:
    if counts:
        yield ""
        yield title
        yield from (f"  {verdict:<12}{what:<36}{count:>8}" for (verdict, what), count in counts.most_common())


def _examples(taken: Taken, terminal: Terminal, *, dry_run: bool) -> Iterator[str]:
    if not taken.examples:
        return
    total = taken.counts.verdicts[Verdict.TAG] + taken.counts.verdicts[Verdict.QUARANTINE]
    done = "would be" if dry_run else "were"
    yield ""
    yield f"the first {len(taken.examples)} of {total} photos that {done} tagged or moved"
    for plan in taken.examples:
        path, reason = display_path(plan.photo.place.path), terminal.short(plan.reason)
        yield terminal.coloured(terminal.row(f"  {plan.verdict:<12}", path, f"({reason})"), plan.verdict)


def _failed(taken: Taken, terminal: Terminal) -> Iterator[str]:
    counts = taken.counts
    lines = [f"{display_path(place.path)}: {why}" for place, why in counts.failures.items()]
    lines += [f"{display_path(folder)}: {why}" for folder, why in counts.unreadable_folders.items()]
    if lines:
        yield ""
        yield f"{len(counts.failures)} photos failed, {len(counts.unreadable_folders)} folders cannot be read"
        yield from (part for line in lines[:_MOST_NAMED] for part in terminal.labelled("  ", line))
    if len(lines) > _MOST_NAMED:
        yield f"  and {len(lines) - _MOST_NAMED} more"
    if counts.unfinished:
        yield f"{counts.unfinished} photos are still being written; run the command again"


def advice(applied: Applied, args: argparse.Namespace, terminal: Terminal) -> Iterator[str]:
    """Yield what to do next."""
    taken = applied.taken
    if taken.brake:
        yield ""
        stops = "would stop" if args.dry_run else "stopped"
        yield from terminal.labelled("", f"the brake {stops} moves: {taken.brake}")
        if not args.dry_run:
            then = f"then `culld policy simulate {args.file} --apply` moves the photos that stayed for it"
            yield from terminal.labelled("", then)
    if not taken.found.scored:
        yield ""
        yield "no photo here has a row; is PATH what --from says, and are its disks mounted?"
    if args.dry_run:
        yield ""
        yield "nothing was changed"


_WERE = {
    Verdict.KEEP: "kept",
    Verdict.TAG: "tagged",
    Verdict.QUARANTINE: "quarantined",
    Verdict.UNREADABLE: "unreadable, left where they are",
}
_WOULD_BE = {
    Verdict.KEEP: "would be kept",
    Verdict.TAG: "would be tagged",
    Verdict.QUARANTINE: "would be quarantined",
    Verdict.UNREADABLE: "unreadable, would be left",
}
