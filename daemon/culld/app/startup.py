"""Opening the journal and the folders, and ending what a crash left unfinished, before anything is judged."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from culld.clock import SystemClock
from culld.errors import SystemFaultError
from culld.files.mount_guard import MountGuard
from culld.journal.store import SqliteJournal
from culld.quarantine.replay import replay
from culld.records import display_path

if TYPE_CHECKING:
    from pathlib import Path

    from culld.config import Config
    from culld.files.locks import RootLocks

log = logging.getLogger(__name__)

JOURNAL = "journal.sqlite3"
"""The journal's name in the state folder."""


def open_journal_without_replay(config: Config) -> SqliteJournal:
    """Open the journal as it is; it is made, with its folder, if it is missing. Raises SystemFaultError."""
    try:
        config.state.mkdir(0o700, parents=True, exist_ok=True)
    except OSError as error:
        text = f"{display_path(config.state)} cannot be made ({error.strerror}); make it for the user that runs culld"
        raise SystemFaultError(text) from error
    return SqliteJournal.open(config.state / JOURNAL, SystemClock())


def require_quarantine(config: Config, journal: SqliteJournal) -> None:
    """Make the quarantine if it is missing; raises SystemFaultError if it cannot be, or its disk is not mounted.

    Watched folders are never made: a missing one mostly means a disk that is not mounted, and is waited for.
    """
    if missing := MountGuard(journal).ensure(config.quarantine):
        raise SystemFaultError(f"the quarantine {display_path(config.quarantine)} {missing}")


def claim_folders(config: Config, journal: SqliteJournal, claims: RootLocks) -> None:
    """Make the quarantine if it is missing, and claim all folders that are there for this process.

    Raises SystemFaultError if the quarantine cannot be used, or if another culld works on one of the folders.
    """
    require_quarantine(config, journal)
    roots = [watch.path for watch in config.watch]
    for root in roots:
        MountGuard(journal).unavailable_reason(root)  # which writes the marker
    claims.acquire_all(roots, config.quarantine)


def open_journal(config: Config) -> SqliteJournal:
    """Open the journal, and finish or drop every plan that a crash left unfinished, by what the disk shows."""
    journal = open_journal_without_replay(config)
    if journal.set_aside is not None:
        log.error("the journal was damaged; it is kept as %s, and a new one begun", display_path(journal.set_aside))
    if not MountGuard(journal).ensure(config.quarantine):  # else its plans wait, like everything else
        replay_unfinished(journal, set())
    return journal


def log_start(config: Config, policy: str) -> None:
    """Log the folders of a configuration, and the digest of its policy."""
    watched = ", ".join(f"{display_path(watch.path)} ({watch.mode or config.policy.mode})" for watch in config.watch)
    quarantine, state = display_path(config.quarantine), display_path(config.state)
    log.info("watching %s; quarantine %s; state %s", watched, quarantine, state)
    log.info("policy %s", policy)


def replay_unfinished(journal: SqliteJournal, logged: set[str]) -> None:
    """End unfinished plans, and log what became of each, unless that line was `logged` before: some wait for long."""
    for done in replay(journal):
        line = f"unfinished plan of {display_path(done.plan.photo.path)}: {done.step or 'waits'} {done.note}".strip()
        if line not in logged:
            log.warning("%s", line)
            logged.add(line)


def open_journal_readonly(state: Path) -> SqliteJournal:
    """Open the journal for reading only; raises SystemFaultError if culld has not run yet."""
    return SqliteJournal.open_readonly(state / JOURNAL, SystemClock())
