"""`culld restore`: back from quarantine to where it came from."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from culld.cli import codes, moments, settings
from culld.records import printable

if TYPE_CHECKING:
    import argparse

    from culld.quarantine.restore import Restored


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer the command."""
    parser = subparsers.add_parser("restore", help="bring photos back from quarantine; they are never taken again")
    settings.add_option(parser)
    parser.add_argument("--all", action="store_true", help="everything")
    parser.add_argument(
        "--since", type=moments.moment, metavar="T", help="what was quarantined since then: 2h, 7d, 2026-05-01"
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
    results = _restore(args)
    for result in results:
        print(json.dumps(_as_json(result)) if args.json else _as_text(result, dry_run=args.dry_run))
    if not results and not args.json:
        print("nothing in quarantine is selected")
    lost = bool(args.paths) and not results
    return codes.SOME_FAILED if lost or any(result.fault for result in results) else codes.FINE


def _restore(args: argparse.Namespace) -> list[Restored]:
    from culld.errors import PhotoError, SystemFaultError  # noqa: PLC0415
    from culld.quarantine.restore import Selection, restore  # noqa: PLC0415
    from culld.service.opening import bare_journal, require_quarantine  # noqa: PLC0415

    _, config = settings.load(args)
    # Not resolved: a photo's own name may be a link by now, and it is the name that was asked for.
    selection = Selection(tuple(path.absolute() for path in args.paths), args.since, args.all)
    roots = [watch.path for watch in config.watch]
    with bare_journal(config) as journal:
        require_quarantine(config, journal)
        try:
            return restore(config.quarantine, selection, roots=roots, journal=journal, dry_run=args.dry_run)
        except PhotoError as error:
            raise SystemFaultError(str(error)) from error


def _as_json(result: Restored) -> dict[str, object]:
    now = None if result.now is None or result.fault else str(printable(result.now.path))
    return {"record": printable(result.record.path), "now": now, "note": result.note, "fault": result.fault}


def _as_text(result: Restored, *, dry_run: bool) -> str:
    if result.fault or result.now is None:
        return f"not restored  {printable(result.record.path)}: {result.fault}"
    note = f"  ({result.note})" if result.note else ""
    return f"{'would restore' if dry_run else 'restored'}  {printable(result.now.path)}{note}"
