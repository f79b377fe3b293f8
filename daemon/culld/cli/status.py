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
from culld.cli.log import as_text
from culld.config import find_config
from culld.records import display_path

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
                live.update(Text(text), refresh=True)
                before = text
            time.sleep(_EVERY_S)


def _text_of(args: argparse.Namespace) -> str:
    status = daemon_status(find_config(args.config, os.environ), os.environ)
    return json.dumps(_as_json(status)) if args.json else _as_text(status)


def _as_json(status: Status) -> dict[str, Any]:
    return {
        "state": status.state,
        "pid": status.pid,
        "waiting": status.waiting,
        "more": status.more,
        "slow": status.slow,
        "copies": status.copies,
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


def _as_text(status: Status) -> str:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in status.counts.items())
    more = "more than " if status.more else ""
    lines = [f"culld is {status.state}; {more}{status.waiting} photos waiting"]
    if status.policy:
        lines[0] += f"; policy {status.policy}"
    lines += [f"  watching    {each.path}{'' if each.online else '   (offline)'}" for each in status.watched]
    lines += [f"  quarantine  {status.quarantine}", f"  so far      {counts}"]
    lines += [f"  copies      {status.copies} wait to be made"] if status.copies else []
    lines += [line for paragraph in _needing_attention(status) for line in ("", *paragraph)]
    if status.last:
        lines += ["", "last decisions:", *(f"  {as_text(decision)}" for decision in reversed(status.last))]
    return "\n".join(lines)


def _needing_attention(status: Status) -> Iterator[list[str]]:
    """Yield the lines of each problem."""
    if status.trouble:
        yield [f"no photo is judged: {status.trouble}"]
    if status.offline:
        yield ["offline folders:", *(f"  {folder} {why}" for folder, why in status.offline.items())]
    if status.unwatched:
        yield [f"{status.unwatched} folders send no events, only the rescan finds new photos: see culld doctor"]
    if status.unread_folders:
        yield [
            f"{status.unread_folders} folders cannot be read, the photos in them wait for the next scan:",
            *(f"  {reason}" for reason in status.unread.values()),
        ]
    if status.policy_problem:
        yield ["config reload failed, still using the last valid policy:", status.policy_problem]
    if status.brake:
        yield [f"MOVING STOPPED by the brake: {status.brake}"]
    if status.clock:
        yield [f"THE CLOCK IS IN DOUBT: {status.clock}"]
    if status.slow:
        yield [f"{status.slow} files are still being written after more than ten minutes; culld waits for them"]
    if status.faults:
        yield ["photos that failed and wait for another try:", *map(_fault_line, status.faults)]


def _fault_line(fault: OpenFault) -> str:
    return f"  {display_path(fault.place.path)}: {fault.reason} (next {_next_try(fault) or 'when it changes'})"
