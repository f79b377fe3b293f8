"""Open the journal, claim the folders, and replay the plans that a crash left unfinished, before photos are judged."""

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
    """Open the journal without replay; create it and its folder if missing. Raises SystemFaultError if that fails."""
    try:
        config.state.mkdir(0o700, parents=True, exist_ok=True)
    except OSError as error:
        text = f"{display_path(config.state)} cannot be made ({error.strerror}); create it for the user that runs culld"
        raise SystemFaultError(text) from error
    return SqliteJournal.open(config.state / JOURNAL, SystemClock())


def require_quarantine(config: Config, journal: SqliteJournal) -> None:
    """Create the quarantine if it is missing; raises SystemFaultError if that fails, or its disk is not mounted.

    Watched folders are never created: a missing one usually means a disk that is not mounted, and culld waits for it.
    """
    if missing := MountGuard(journal).ensure(config.quarantine):
        raise SystemFaultError(f"the quarantine {display_path(config.quarantine)} {missing}")


def claim_folders(config: Config, journal: SqliteJournal, claims: RootLocks) -> None:
    """Create the quarantine if it is missing, and lock it and all present watched folders for this process.

    Raises SystemFaultError if the quarantine cannot be used, or if another culld uses one of the folders.
    """
    require_quarantine(config, journal)
    roots = [watch.path for watch in config.watch]
    for root in roots:
        MountGuard(journal).unavailable_reason(root)  # which writes the marker
    claims.acquire_all(roots, config.quarantine)


def open_journal(config: Config) -> SqliteJournal:
    """Open the journal, and finish or drop every unfinished plan according to the files on the disk.

    While the quarantine is offline, unfinished plans stay open. Raises SystemFaultError if the journal cannot be used.
    """
    journal = open_journal_without_replay(config)
    if journal.set_aside is not None:
        log.error(
            "the journal was damaged; it is kept as %s, and a new one is used; stop culld, run `culld journal rebuild`",
            display_path(journal.set_aside),
        )
    if not MountGuard(journal).ensure(config.quarantine):  # otherwise the plans stay open
        replay_unfinished(journal, set())
    return journal


def log_start(config: Config, policy: str, missing_extra: str = "") -> None:
    """Log the folders of a configuration, the digest of its policy, and which extra it lacks."""
    watched = ", ".join(f"{display_path(watch.path)} ({watch.mode or config.policy.mode})" for watch in config.watch)
    quarantine, state = display_path(config.quarantine), display_path(config.state)
    log.info("watching %s; quarantine %s; state %s", watched, quarantine, state)
    log.info("policy %s", policy)
    if missing_extra:
        log.warning("%s", missing_extra)


def replay_unfinished(journal: SqliteJournal, logged: set[str]) -> None:
    """Finish or drop unfinished plans, and log the result of each once; `logged` holds the lines logged so far."""
    for done in replay(journal):
        line = f"unfinished plan of {display_path(done.plan.photo.path)}: {done.step or 'waits'} {done.note}".strip()
        if line not in logged:
            log.warning("%s", line)
            logged.add(line)


def open_journal_readonly(state: Path) -> SqliteJournal:
    """Open the journal for reading only; raises SystemFaultError if culld has not run yet."""
    return SqliteJournal.open_readonly(state / JOURNAL, SystemClock())
