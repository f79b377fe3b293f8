"""`culld restore`: back from quarantine to where it came from."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from culld.cli import codes, moments, settings
from culld.records import printable

if TYPE_CHECKING:
    import argparse

    from culld.journal.store import SqliteJournal
    from culld.quarantine.restore import Restored
    from culld.quarantine.untagging import Untagged


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer the command."""
    parser = subparsers.add_parser("restore", help="bring photos back from quarantine; they are never taken again")
    settings.add_option(parser)
    parser.add_argument("--all", action="store_true", help="everything")
    parser.add_argument(
        "--since", type=moments.moment, metavar="T", help="what was quarantined since then: 2h, 7d, 2026-05-01"
    )
    parser.add_argument(
        "--untag", action="store_true", help="also take back, bit for bit, what culld wrote about photos that stayed"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would come back")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="photos or folders, in quarantine or where they were"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Restore what is selected, and tell of each photo."""
    if not (args.all or args.since or args.paths):
        print("culld: name photos, or say --since T or --all", file=sys.stderr)
        return codes.USAGE
    restored, untagged = _restore(args)
    for result in restored:
        print(json.dumps(_as_json(result)) if args.json else _as_text(result, dry_run=args.dry_run))
    for each in untagged:
        print(json.dumps(_untagged_as_json(each)) if args.json else _untagged_as_text(each, dry_run=args.dry_run))
    results: list[Restored | Untagged] = [*restored, *untagged]
    if not results and not args.json:
        print("nothing in quarantine is selected" + (", and no tagged photo" if args.untag else ""))
    lost = bool(args.paths) and not results
    return codes.SOME_FAILED if lost or any(result.fault for result in results) else codes.FINE


def _restore(args: argparse.Namespace) -> tuple[list[Restored], list[Untagged]]:
    from culld.errors import PhotoError, SystemFaultError  # noqa: PLC0415
    from culld.quarantine.restore import Selection, restore  # noqa: PLC0415
    from culld.quarantine.untagging import untag  # noqa: PLC0415
    from culld.service.opening import bare_journal, require_quarantine  # noqa: PLC0415

    _, config = settings.load(args)
    # Not resolved: a photo's own name may be a link by now, and it is the name that was asked for.
    selection = Selection(tuple(path.absolute() for path in args.paths), args.since, args.all)
    roots = [watch.path for watch in config.watch]
    with bare_journal(config) as journal:
        require_quarantine(config, journal)
        try:
            restored = restore(config.quarantine, selection, roots=roots, journal=journal, dry_run=args.dry_run)
        except PhotoError as error:
            raise SystemFaultError(str(error)) from error
        if not args.dry_run:
            restored = [_without_words(result, journal) for result in restored]
        if not args.untag:
            return restored, []
        # Whoever named a photo in quarantine means it where it is now, too.
        back = tuple(result.now.path for result in restored if result.now is not None)
        selection = replace(selection, paths=(*selection.paths, *back))
        return restored, untag(journal.tagged(), selection, roots=roots, journal=journal, dry_run=args.dry_run)


def _without_words(result: Restored, journal: SqliteJournal) -> Restored:
    """The same after taking back what culld wrote when it rejected the photo; what somebody changed since stays."""
    from culld.quarantine.restore import Selection  # noqa: PLC0415
    from culld.quarantine.untagging import untag  # noqa: PLC0415

    if result.now is None or result.fault:
        return result
    everything = Selection(everything=True)
    untagged = untag(journal.tagged(result.now), everything, roots=[result.now.root], journal=journal, dry_run=False)
    return replace(result, note="; ".join(filter(None, (result.note, *(each.fault for each in untagged)))))


def _as_json(result: Restored) -> dict[str, object]:
    now = None if result.now is None or result.fault else str(printable(result.now.path))
    return {"record": printable(result.record.path), "now": now, "note": result.note, "fault": result.fault}


def _as_text(result: Restored, *, dry_run: bool) -> str:
    if result.fault or result.now is None:
        return f"not restored  {printable(result.record.path)}: {result.fault}"
    note = f"  ({result.note})" if result.note else ""
    return f"{'would restore' if dry_run else 'restored'}  {printable(result.now.path)}{note}"


def _untagged_as_json(result: Untagged) -> dict[str, object]:
    return {"untagged": printable(result.photo.path), "fault": result.fault}


def _untagged_as_text(result: Untagged, *, dry_run: bool) -> str:
    if result.fault:
        return f"not untagged  {printable(result.photo.path)}: {result.fault}"
    return f"{'would untag' if dry_run else 'untagged'}  {printable(result.photo.path)}"
