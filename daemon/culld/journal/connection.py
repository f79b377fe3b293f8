"""Opening the database: durable settings, a check, and a corrupt file set aside instead of thrown away."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING
from urllib.parse import quote

from culld.errors import SystemFaultError
from culld.journal.database_errors import CORRUPT, primary, translate_errors, translate_file_errors
from culld.journal.migrations import STEPS, migrate, require_known
from culld.records import display_path

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_BUSY_TIMEOUT_S = 10


class _DamagedError(Exception):
    """The file is not a sound database."""


def connect(path: Path, now: datetime) -> tuple[sqlite3.Connection, Path | None]:
    """The database, made or migrated as needed; and where a damaged one was set aside, if it was.

    Raises SystemFaultError.
    """
    _make_folder(path)
    with translate_errors(path):
        try:
            return _connect(path), None
        except _DamagedError:
            with translate_file_errors(path):
                aside = _rename_damaged(path, now)
            return _connect(path), aside


def connect_readonly(path: Path) -> sqlite3.Connection:
    """The database for reading only; raises SystemFaultError if there is none."""
    with translate_file_errors(path):
        is_there = path.exists()
    if not is_there:
        raise SystemFaultError(
            f"there is no journal at {display_path(path)}: culld has not run yet; `culld run` begins one"
        )
    with translate_errors(path):
        uri = f"file:{quote(os.fsencode(path))}?mode=ro"
        db = sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
        (version,) = db.execute("PRAGMA user_version").fetchone()
        require_known(version)
        if version < len(STEPS):
            db.close()
            raise SystemFaultError(
                f"the journal {display_path(path)} is of an older culld; start culld once to renew it"
            )
        return db


def _make_folder(path: Path) -> None:
    with translate_file_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # NORMAL may lose the last commits when the power fails
        db.execute("PRAGMA fullfsync = ON")
        db.execute("PRAGMA foreign_keys = ON")
        _require_sound(db)
        migrate(db)
    except sqlite3.DatabaseError as error:
        db.close()
        if primary(error) in CORRUPT:
            raise _DamagedError from error
        raise
    except BaseException:  # whatever it was, also Ctrl-C, the file must not stay open
        db.close()
        raise
    return db


def _require_sound(db: sqlite3.Connection) -> None:
    if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise _DamagedError


def _rename_damaged(path: Path, now: datetime) -> Path:
    """Rename the database and the files that belong to it; gives its new path."""
    tail = f".damaged-{now:%Y%m%dT%H%M%S.%f}"
    aside = path.with_name(path.name + tail)
    for end in ("", "-wal", "-shm"):
        part = path.with_name(path.name + end)
        if part.exists():
            part.rename(path.with_name(path.name + tail + end))
    return aside
