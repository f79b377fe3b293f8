"""`culld restore`: move photos back from quarantine to their original paths."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from typing import TYPE_CHECKING

from culld.app.copies.undo import CopyUndone
from culld.app.restore import RestoreRequest, run_restore
from culld.cli import configuration, exit_codes
from culld.cli.terminal import terminal_of
from culld.quarantine.selection import Selection
from culld.quarantine.untag import Untagged
from culld.records import display_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from culld.app.restore import RestoreSummary
    from culld.cli.terminal import Terminal
    from culld.quarantine.restore import Restored

    Result = Restored | Untagged | CopyUndone


def run(args: argparse.Namespace) -> int:
    """Restore the selected photos, and print each result as soon as it is done; Ctrl-C finishes the current photo."""
    if not (args.all or args.since or args.paths):
        print("culld: name photos, or give --since T or --all", file=sys.stderr)
        return exit_codes.USAGE
    _, config = configuration.load(args)
    # Not resolved: the path of a photo may be a symbolic link by now, and the path itself is selected.
    selection = Selection(tuple(path.absolute() for path in args.paths), args.since, args.all)
    request = RestoreRequest(selection, args.untag, args.dry_run, args.undecided)
    terminal = terminal_of(sys.stdout, os.environ)

    def show(result: Result) -> None:
        print("\n".join(_lines(args, result, terminal)), flush=True)

    with _stop_asked() as stop:
        summary = run_restore(config, request, show, stop)
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


def _lines(args: argparse.Namespace, result: Result, terminal: Terminal) -> list[str]:
    """Return what became of one photo: a JSON object, or a text that fits the terminal and keeps every fault whole."""
    if args.json:
        return [json.dumps(_as_json(result))]
    done, path, note, fault = _as_text(result, dry_run=args.dry_run)
    if fault:
        return terminal.labelled(f"{done}  ", f"{display_path(path)}: {fault}")
    return [terminal.row(f"{done}  ", display_path(path), f"({note})" if note else "").rstrip()]


def _interrupted(summary: RestoreSummary) -> str:
    done = f"{summary.restored} restored"
    done += f", {summary.untagged} untagged" if summary.untagged else ""
    done += f", {summary.copies} copies" if summary.copies else ""
    return f"culld: interrupted: {done}, {summary.remaining} selected photos remain; to continue, run the command again"


def _as_json(result: Result) -> dict[str, object]:
    if isinstance(result, CopyUndone):
        return {"copy": display_path(result.place.path), "note": result.note, "fault": result.fault}
    if isinstance(result, Untagged):
        return {"untagged": display_path(result.photo.path), "note": result.note, "fault": result.fault}
    now = None if result.now is None or result.fault else str(display_path(result.now.path))
    return {"record": display_path(result.record.path), "now": now, "note": result.note, "fault": result.fault}


def _as_text(result: Result, *, dry_run: bool) -> tuple[str, Path, str, str | None]:
    """Return what was done, the path of the file, a note, and the fault for which it was not done."""
    if isinstance(result, CopyUndone):
        fault = result.fault or result.note
        return _verb("remove", fault, dry_run=dry_run), result.place.path, "", fault
    if isinstance(result, Untagged):
        return _verb("untag", result.fault, dry_run=dry_run), result.photo.path, result.note, result.fault
    if result.now is None and not result.fault:
        return "deleted", result.record.path, result.note, None
    place = result.record if result.now is None or result.fault else result.now
    return _verb("restore", result.fault, dry_run=dry_run), place.path, result.note, result.fault


def _verb(verb: str, fault: str | None, *, dry_run: bool) -> str:
    done = {"remove": "removed", "restore": "restored", "untag": "untagged"}[verb]
    return f"not {done}" if fault else f"would {verb}" if dry_run else done
