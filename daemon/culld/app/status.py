"""The use case `status`: the last report of the daemon, the content of the journal, and which folders are present."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from culld.app.decision_ages import clock_doubt
from culld.app.startup import open_journal_readonly
from culld.config import find_state, load_config
from culld.errors import ConfigError
from culld.files.mount_guard import MountGuard
from culld.records import display_path
from culld.stages.decide.brake import active_brake

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from culld.journal.file_state import OpenFault
    from culld.journal.store import SqliteJournal
    from culld.records import RecordedDecision, Verdict

_LAST = 5


@dataclass(frozen=True, slots=True)
class WatchedFolder:
    """A watched folder, as it is displayed, and whether it is present."""

    path: str
    online: bool


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the daemon and of the folders; paths are as they are displayed.

    `waiting` is the number of photos that are not judged yet; `more` is True if the daemon's queue is full and there
    are more. `slow` counts files that are still being written after ten minutes. `offline` holds the reason for each
    folder that is absent, `unread` for some of the folders that cannot be read. `faults` holds the files that wait for
    another try, `last` the last decisions, the newest first. `copies` is the number of repaired copies that wait.
    `passed_over` counts pictures of formats that culld does not read, by extension.
    """

    state: str
    pid: int | None
    waiting: int
    more: bool
    slow: int
    trouble: str | None
    policy: str | None
    policy_problem: str | None
    watched: tuple[WatchedFolder, ...]
    quarantine: str | None
    offline: Mapping[str, str]
    unwatched: int
    unread_folders: int
    unread: Mapping[str, str]
    brake: str | None
    clock: str | None
    counts: Mapping[Verdict, int]
    faults: tuple[OpenFault, ...]
    last: tuple[RecordedDecision, ...]
    copies: int = 0
    passed_over: Mapping[str, int] = field(default_factory=dict)


def daemon_status(config_file: Path, environ: Mapping[str, str]) -> Status:
    """Return the status of the culld with this configuration; it is read from the journal, not from the daemon.

    If the file has mistakes, the folders are those that the daemon reported. Raises SystemFaultError if culld has not
    run yet.
    """
    with open_journal_readonly(find_state(config_file, environ)) as journal:
        return _with_configured(_reported(journal), MountGuard(journal), config_file, environ)


def _reported(journal: SqliteJournal) -> Status:
    report: dict[str, Any] = json.loads(journal.status().get("daemon", ("{}", None))[0])
    pid, offline = report.get("pid"), report.get("offline", {})
    return Status(
        state=report.get("state", "stopped") if _is_alive(pid) else "stopped",
        pid=pid,
        waiting=report.get("waiting", 0),
        more=report.get("more", False),
        slow=report.get("slow", 0),
        trouble=report.get("trouble") or None,
        policy=report.get("policy"),
        policy_problem=report.get("policy_problem"),
        watched=tuple(WatchedFolder(path, path not in offline) for path in report.get("watch", [])),
        quarantine=report.get("quarantine"),
        offline=offline,
        unwatched=report.get("unwatched", 0),
        unread_folders=report.get("unread_folders", 0),
        unread=report.get("unread", {}),
        brake=active_brake(journal) or None,
        clock=clock_doubt(journal) or None,
        counts=journal.counts(),
        faults=tuple(journal.open_faults()),
        last=tuple(journal.decisions(_LAST)),
        copies=journal.copies_waiting(),
        passed_over=report.get("passed_over", {}),
    )


def _with_configured(status: Status, guard: MountGuard, config_file: Path, environ: Mapping[str, str]) -> Status:
    """Return the status with the configured folders, each checked now."""
    try:
        config = load_config(config_file, environ)
    except ConfigError as error:
        return replace(status, policy_problem=str(error))
    roots = [watch.path for watch in config.watch]
    offline = {folder: why for folder in (*roots, config.quarantine) if (why := guard.check(folder))}
    return replace(
        status,
        watched=tuple(WatchedFolder(display_path(root), root not in offline) for root in roots),
        quarantine=display_path(config.quarantine),
        offline={display_path(folder): why for folder, why in offline.items()},
    )


def _is_alive(pid: object) -> bool:
    """Return whether a process with this id runs."""
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, under another user
        return True
    return True
