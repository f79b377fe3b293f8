"""`culld status`: how things stand."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from culld.cli import config_option, exit_codes
from culld.cli.log import as_json, as_text
from culld.errors import ConfigError
from culld.records import display_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from culld.files.mount_guard import MountGuard
    from culld.journal.store import SqliteJournal

_LAST = 5
_EVERY_S = 1.0


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer the command."""
    parser = subparsers.add_parser("status", help="queue, folders, last decisions with their reasons")
    config_option.add_option(parser)
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="one JSON object")
    shown.add_argument("--watch", action="store_true", help="stay, and show it anew each second; Ctrl-C ends it")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what the journal knows; the daemon is not disturbed."""
    if args.watch:
        with contextlib.suppress(KeyboardInterrupt):
            _watch(args)
    else:
        print(_text_of(args))
    return exit_codes.FINE


def _watch(args: argparse.Namespace) -> None:
    """Fill the terminal until Ctrl-C; without one, print it once for each change."""
    from rich.live import Live  # noqa: PLC0415 (a tenth of a second, which only this needs)
    from rich.text import Text  # noqa: PLC0415

    before = ""
    with Live(screen=sys.stdout.isatty(), auto_refresh=False) as live:
        while True:
            if (told := _text_of(args)) != before:
                live.update(Text(told), refresh=True)
                before = told
            time.sleep(_EVERY_S)


def _text_of(args: argparse.Namespace) -> str:
    from culld.app.startup import open_journal_readonly  # noqa: PLC0415
    from culld.files.mount_guard import MountGuard  # noqa: PLC0415

    with contextlib.closing(open_journal_readonly(config_option.state(args))) as journal:
        told = _gather(journal) | _configured(args, MountGuard(journal))
        lines = [as_text(decision) for decision in reversed(journal.decisions(_LAST))]
    return json.dumps(told) if args.json else _as_text(told, lines)


def _gather(journal: SqliteJournal) -> dict[str, Any]:
    from culld.app.decision_ages import clock_doubt  # noqa: PLC0415
    from culld.stages.decide.brake import active_brake  # noqa: PLC0415

    said = json.loads(journal.status().get("daemon", ("{}", None))[0])
    return {
        "state": said.get("state", "stopped") if _lives(said.get("pid")) else "stopped",
        "pid": said.get("pid"),
        "waiting": said.get("waiting", 0),
        "more": said.get("more", False),
        "slow": said.get("slow", 0),
        "trouble": said.get("trouble") or None,
        "policy": said.get("policy"),
        "policy_problem": said.get("policy_problem"),
        "watch": [{"path": path, "online": path not in said["offline"]} for path in said.get("watch", [])],
        "quarantine": said.get("quarantine"),
        "offline": said.get("offline", {}),
        "unwatched": said.get("unwatched", 0),
        "unread_folders": said.get("unread_folders", 0),
        "unread": said.get("unread", {}),
        "brake": active_brake(journal) or None,
        "clock": clock_doubt(journal) or None,
        "counts": {str(verdict): count for verdict, count in journal.counts().items()},
        "faults": [
            {
                "path": display_path(fault.place.path),
                "reason": fault.reason,
                "tries": fault.tries,
                "next": fault.next_at and fault.next_at.isoformat(timespec="seconds"),
            }
            for fault in journal.open_faults()
        ],
        "last": [as_json(decision) for decision in journal.decisions(_LAST)],
    }


def _configured(args: argparse.Namespace, anchors: MountGuard) -> dict[str, Any]:
    """What the file says of the folders; where it has a mistake, the daemon's own words stand."""
    try:
        _, config = config_option.load(args)
    except ConfigError as error:
        return {"policy_problem": str(error)}
    roots = [watch.path for watch in config.watch]
    away = {folder: why for folder in (*roots, config.quarantine) if (why := anchors.check(folder))}
    return {
        "watch": [{"path": display_path(root), "online": root not in away} for root in roots],
        "quarantine": display_path(config.quarantine),
        "offline": {display_path(folder): why for folder, why in away.items()},
    }


def _lives(pid: object) -> bool:
    """Whether the daemon that last spoke is still there."""
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it lives, under another user
        return True
    return True


def _as_text(told: dict[str, Any], last: list[str]) -> str:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in told["counts"].items())
    more = "more than " if told["more"] else ""
    lines = [f"culld is {told['state']}; {more}{told['waiting']} photos waiting"]
    if told["policy"]:
        lines[0] += f"; policy {told['policy']}"
    lines += [f"  watching    {w['path']}{'' if w['online'] else '   (offline)'}" for w in told["watch"]]
    lines += [f"  quarantine  {told['quarantine']}", f"  so far      {counts}"]
    lines += [line for paragraph in _needing_attention(told) for line in ("", *paragraph)]
    if last:
        lines += ["", "last decisions:", *(f"  {line}" for line in last)]
    return "\n".join(lines)


def _needing_attention(told: dict[str, Any]) -> Iterator[list[str]]:
    """Yield a few lines for each thing that a person should know of."""
    if told["trouble"]:
        yield [f"no photo is judged: {told['trouble']}"]
    if told["offline"]:
        yield ["waited for:", *(f"  {folder} {why}" for folder, why in told["offline"].items())]
    if told["unwatched"]:
        yield [f"{told['unwatched']} folders give no events, only the timer finds what is new: see culld doctor"]
    if told["unread_folders"]:
        yield [
            f"{told['unread_folders']} folders cannot be read, the photos in them wait for the next scan:",
            *(f"  {reason}" for reason in told["unread"].values()),
        ]
    if told["policy_problem"]:
        yield ["the policy file has mistakes, the last good one is in force:", told["policy_problem"]]
    if told["brake"]:
        yield [f"THE BRAKE IS ON, nothing is moved: {told['brake']}"]
    if told["clock"]:
        yield [f"THE CLOCK IS IN DOUBT: {told['clock']}"]
    if told["slow"]:
        yield [f"{told['slow']} files are still being written after more than ten minutes; they are waited for"]
    if told["faults"]:
        yield ["waiting for another try:", *map(_fault_line, told["faults"])]


def _fault_line(fault: dict[str, Any]) -> str:
    return f"  {fault['path']}: {fault['reason']} (next {fault['next'] or 'when it changes'})"
