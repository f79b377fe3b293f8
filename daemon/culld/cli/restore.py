"""`culld restore`: back from quarantine to where it came from."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from culld.cli import config_option, exit_codes, interrupt, since_option
from culld.records import display_path

if TYPE_CHECKING:
    import argparse

    from culld.app.restore import RestoreSummary
    from culld.quarantine.restore import Restored
    from culld.quarantine.untag import Untagged


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer the command."""
    parser = subparsers.add_parser("restore", help="bring photos back from quarantine; they are never taken again")
    config_option.add_option(parser)
    parser.add_argument("--all", action="store_true", help="everything")
    parser.add_argument(
        "--since",
        type=since_option.parse_since,
        metavar="T",
        help="what was quarantined since then: 2h, 7d, 2026-05-01",
    )
    parser.add_argument(
        "--untag", action="store_true", help="also take back, bit for bit, what culld wrote about photos that stayed"
    )
    parser.add_argument(
        "--undecided", action="store_true", help="do not count what comes back as wrong rejects (culld report)"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would come back")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="photos or folders, in quarantine or where they were"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Restore what is selected, and tell of each photo as soon as it is done; Ctrl-C finishes the photo at hand."""
    from culld.app.restore import RestoreRequest, run_restore  # noqa: PLC0415
    from culld.quarantine.selection import Selection  # noqa: PLC0415 (SQLite and the workers would slow `--help` down)

    if not (args.all or args.since or args.paths):
        print("culld: name photos, or say --since T or --all", file=sys.stderr)
        return exit_codes.USAGE
    _, config = config_option.load(args)
    # Not resolved: a photo's own name may be a link by now, and it is the name that was asked for.
    selection = Selection(tuple(path.absolute() for path in args.paths), args.since, args.all)
    request = RestoreRequest(selection, args.untag, args.dry_run, args.undecided)
    with interrupt.asked_by_signal() as stop:
        summary = run_restore(config, request, lambda result: print(_line(args, result), flush=True), stop)
    if summary.stopped:
        print(_interrupted(summary), file=sys.stderr)
        return exit_codes.INTERRUPTED
    if not summary.found and not args.json:
        print("nothing in quarantine is selected" + (", and no tagged photo" if args.untag else ""))
    lost = bool(args.paths) and not summary.found
    return exit_codes.SOME_FAILED if lost or summary.failed else exit_codes.FINE


def _line(args: argparse.Namespace, result: Restored | Untagged) -> str:
    from culld.quarantine.restore import Restored  # noqa: PLC0415

    if isinstance(result, Restored):
        return json.dumps(_as_json(result)) if args.json else _as_text(result, dry_run=args.dry_run)
    return json.dumps(_untagged_as_json(result)) if args.json else _untagged_as_text(result, dry_run=args.dry_run)


def _interrupted(summary: RestoreSummary) -> str:
    done = f"{summary.restored} restored"
    done += f", {summary.untagged} untagged" if summary.untagged else ""
    return f"culld: interrupted: {done}, {summary.remaining} selected photos remain; the same command goes on with them"


def _as_json(result: Restored) -> dict[str, object]:
    now = None if result.now is None or result.fault else str(display_path(result.now.path))
    return {"record": display_path(result.record.path), "now": now, "note": result.note, "fault": result.fault}


def _as_text(result: Restored, *, dry_run: bool) -> str:
    if result.fault:
        return f"not restored  {display_path(result.record.path)}: {result.fault}"
    if result.now is None:
        return f"deleted  {display_path(result.record.path)}: {result.note}"
    note = f"  ({result.note})" if result.note else ""
    return f"{'would restore' if dry_run else 'restored'}  {display_path(result.now.path)}{note}"


def _untagged_as_json(result: Untagged) -> dict[str, object]:
    return {"untagged": display_path(result.photo.path), "note": result.note, "fault": result.fault}


def _untagged_as_text(result: Untagged, *, dry_run: bool) -> str:
    if result.fault:
        return f"not untagged  {display_path(result.photo.path)}: {result.fault}"
    note = f"  ({result.note})" if result.note else ""
    return f"{'would untag' if dry_run else 'untagged'}  {display_path(result.photo.path)}{note}"
