"""`culld status`: the state of the daemon and of the folders, problems, and the last decisions."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from culld.app.decision_json import decision_json
from culld.app.status import daemon_status
from culld.cli import exit_codes
from culld.cli.log import as_row
from culld.cli.terminal import Terminal, terminal_of
from culld.config import find_config
from culld.errors import NotRunYetError
from culld.records import display_path
from culld.stages.watch.passed_over import sentence

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from culld.app.status import Status
    from culld.journal.file_state import OpenFault

_EVERY_S = 1.0


def run(args: argparse.Namespace) -> int:
    """Print the status once, or with `--watch` until Ctrl-C."""
    if args.watch:
        with contextlib.suppress(KeyboardInterrupt):
            _watch(args)
    else:
        print(_text_of(args))
    return exit_codes.FINE


def _watch(args: argparse.Namespace) -> None:
    """Show the status on the whole terminal until Ctrl-C; if the output is no terminal, print each changed status."""
    from rich.live import Live  # noqa: PLC0415 (takes 0.1 s to import, and only --watch needs it)
    from rich.text import Text  # noqa: PLC0415

    before = ""
    with Live(screen=sys.stdout.isatty(), auto_refresh=False) as live:
        while True:
            if (text := _text_of(args)) != before:
                live.update(Text.from_ansi(text), refresh=True)
                before = text
            time.sleep(_EVERY_S)


def _text_of(args: argparse.Namespace) -> str:
    terminal = terminal_of(sys.stdout, os.environ)
    try:
        status = daemon_status(find_config(args.config, os.environ), os.environ)
    except NotRunYetError as error:
        return json.dumps({"state": "not run yet"}) if args.json else "\n".join(terminal.labelled("", str(error)))
    return json.dumps(_as_json(status)) if args.json else "\n".join(_as_text(status, terminal))


def _as_json(status: Status) -> dict[str, Any]:
    return {
        "state": status.state,
        "pid": status.pid,
        "waiting": status.waiting,
        "more": status.more,
        "slow": status.slow,
        "copies": status.copies,
        "passed_over": dict(status.passed_over),
        "trouble": status.trouble,
        "policy": status.policy,
        "policy_problem": status.policy_problem,
        "watch": [{"path": folder.path, "online": folder.online} for folder in status.watched],
        "quarantine": status.quarantine,
        "offline": dict(status.offline),
        "unwatched": status.unwatched,
        "unread_folders": status.unread_folders,
        "unread": dict(status.unread),
        "brake": status.brake,
        "clock": status.clock,
        "counts": {str(verdict): count for verdict, count in status.counts.items()},
        "faults": [
            {
                "path": display_path(fault.place.path),
                "reason": fault.reason,
                "tries": fault.tries,
                "next": _next_try(fault),
            }
            for fault in status.faults
        ],
        "last": [decision_json(decision) for decision in status.last],
    }


def _next_try(fault: OpenFault) -> str | None:
    return None if fault.next_at is None else fault.next_at.isoformat(timespec="seconds")


def _as_text(status: Status, terminal: Terminal) -> Iterator[str]:
    for label, text in _facts(status):
        yield from terminal.labelled(label, text)
    for title, lines in _needing_attention(status):
        yield ""
        yield from terminal.labelled("", title)
        for line in lines:
            yield from terminal.labelled("  ", line)
    if status.last:
        yield from ("", "last decisions:")
        yield from (as_row(decision, terminal, "  ") for decision in reversed(status.last))


def _facts(status: Status) -> Iterator[tuple[str, str]]:
    """Yield each fact with its label."""
    photos = "photo" if status.waiting == 1 and not status.more else "photos"
    waiting = f"{'more than ' if status.more else ''}{status.waiting} {photos} waiting"
    yield "", f"culld is {status.state}; {waiting}" + (f"; policy {status.policy}" if status.policy else "")
    for folder in status.watched:
        yield "  watching    ", f"{folder.path}{'' if folder.online else '   (offline)'}"
    yield "  quarantine  ", status.quarantine or "-"
    yield "  so far      ", ", ".join(f"{count} {verdict}" for verdict, count in status.counts.items())
    if passed_over := sentence(status.passed_over):
        yield "  not read    ", passed_over
    if status.copies:
        yield "  copies      ", f"{status.copies} wait to be made"


def _needing_attention(status: Status) -> Iterator[tuple[str, list[str]]]:
    """Yield each problem: a line, and its details."""
    if status.trouble:
        yield f"no photo is judged: {status.trouble}", []
    if status.offline:
        yield "offline folders:", [f"{folder} {why}" for folder, why in status.offline.items()]
    if status.unwatched:
        yield f"{status.unwatched} folders send no events, only the rescan finds new photos: see culld doctor", []
    if status.unread_folders:
        title = f"{status.unread_folders} folders cannot be read, the photos in them wait for the next scan:"
        yield title, list(status.unread.values())
    if status.policy_problem:
        yield "config reload failed, still using the last valid policy:", [status.policy_problem]
    if status.brake:
        yield f"MOVING STOPPED by the brake: {status.brake}", []
    if status.clock:
        yield f"THE CLOCK IS IN DOUBT: {status.clock}", []
    if status.slow:
        yield f"{status.slow} files are still being written after more than ten minutes; culld waits for them", []
    if status.faults:
        yield "photos that failed and wait for another try:", [_fault_line(fault) for fault in status.faults]


def _fault_line(fault: OpenFault) -> str:
    again = "when it changes" if fault.next_at is None else f"{fault.next_at.astimezone():%Y-%m-%d %H:%M:%S}"
    return f"{display_path(fault.place.path)}: {fault.reason} (next {again})"
