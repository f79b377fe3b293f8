"""Opening the journal for the review page, while the daemon runs and while it does not."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from culld.app.startup import JOURNAL
from culld.clock import SystemClock
from culld.errors import SystemFaultError
from culld.journal.review import ReviewReader

if TYPE_CHECKING:
    from pathlib import Path


def open_review(state: Path) -> tuple[ReviewReader, bool]:
    """Return the journal in a state folder, and whether it is a snapshot that shows no later changes.

    A user who may only read the folder cannot open the journal of a daemon that was stopped, because its files `-wal`
    and `-shm` are gone; then nobody writes to it, and it is opened as a snapshot. Raises SystemFaultError if there is
    no journal.
    """
    path = state / JOURNAL
    try:
        reader = ReviewReader.open_shared(path, SystemClock())
        try:
            reader.version()
            reader.count_up_to(0)
        except SystemFaultError:
            reader.close()
            raise
    except SystemFaultError:
        if not path.exists() or path.with_name(f"{JOURNAL}-wal").exists():
            raise
        return ReviewReader.open_immutable(path, SystemClock()), True
    return reader, False


def is_daemon_running(state: Path) -> bool | None:
    """Return whether a daemon holds the lock of its state folder; None if this user may not look."""
    try:
        descriptor = os.open(state / "daemon.lock", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
