"""`culld restore`: move photos back from quarantine to their original paths."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from typing import TYPE_CHECKING

from culld.app.copies.undo import CopyUndone
from culld.app.restore import RestoreRequest, run_restore
from culld.cli import configuration, exit_codes
from culld.quarantine.restore import Restored
from culld.quarantine.selection import Selection
from culld.records import display_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from culld.app.restore import RestoreSummary
    from culld.quarantine.untag import Untagged


def run(args: argparse.Namespace) -> int:
    """Restore the selected photos, and print each result as soon as it is done; Ctrl-C finishes the current photo."""
    if not (args.all or args.since or args.paths):
        print("culld: name photos, or give --since T or --all", file=sys.stderr)
        return exit_codes.USAGE
    _, config = configuration.load(args)
    # Not resolved: the path of a photo may be a symbolic link by now, and the path itself is selected.
    selection = Selection(tuple(path.absolute() for path in args.paths), args.since, args.all)
    request = RestoreRequest(selection, args.untag, args.dry_run, args.undecided)
    with _stop_asked() as stop:
        summary = run_restore(config, request, lambda result: print(_line(args, result), flush=True), stop)
    if summary.stopped:
        print(_interrupted(summary), file=sys.stderr)
        return exit_codes.INTERRUPTED
    if not summary.found and not args.json:
        print("nothing in quarantine is selected" + (", and no tagged photo" if args.untag else ""))
    none_found = bool(args.paths) and not summary.found
    return exit_codes.SOME_FAILED if none_found or summary.failed else exit_codes.FINE


@contextlib.contextmanager
def _stop_asked() -> Iterator[Callable[[], bool]]:
    """Give a function that returns whether Ctrl-C was pressed; a second Ctrl-C raises KeyboardInterrupt at once.

    If SIGINT is ignored, as in the background of a shell, it stays ignored. Use it in the main thread only.
    """
    asked = False

    def ask(*_: object) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


def _line(args: argparse.Namespace, result: Restored | Untagged | CopyUndone) -> str:
    if isinstance(result, CopyUndone):
        return json.dumps(_copy_as_json(result)) if args.json else _copy_as_text(result, dry_run=args.dry_run)
    if isinstance(result, Restored):
        return json.dumps(_as_json(result)) if args.json else _as_text(result, dry_run=args.dry_run)
    return json.dumps(_untagged_as_json(result)) if args.json else _untagged_as_text(result, dry_run=args.dry_run)


def _interrupted(summary: RestoreSummary) -> str:
    done = f"{summary.restored} restored"
    done += f", {summary.untagged} untagged" if summary.untagged else ""
    done += f", {summary.copies} copies" if summary.copies else ""
    return f"culld: interrupted: {done}, {summary.remaining} selected photos remain; to continue, run the command again"


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


def _copy_as_json(result: CopyUndone) -> dict[str, object]:
    return {"copy": display_path(result.place.path), "note": result.note, "fault": result.fault}


def _copy_as_text(result: CopyUndone, *, dry_run: bool) -> str:
    if result.fault or result.note:
        return f"not removed  {display_path(result.place.path)}: {result.fault or result.note}"
    return f"{'would remove' if dry_run else 'removed'}  {display_path(result.place.path)}"
