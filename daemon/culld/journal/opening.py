"""Opening the database: durable settings, a check, and a corrupt file set aside instead of thrown away."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from culld.errors import SystemFaultError
from culld.journal.migrations import STEPS, migrate, require_known
from culld.records import printable

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_BUSY_TIMEOUT_S = 10
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_ADVICE = {
    sqlite3.SQLITE_FULL: "its disk is full; free some space, then start culld again",
    sqlite3.SQLITE_BUSY: "another program holds it; end that one, then start culld again",
    sqlite3.SQLITE_LOCKED: "another program holds it; end that one, then start culld again",
    sqlite3.SQLITE_READONLY: "it cannot be written; give the user that runs culld the state folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; give the user that runs culld the state folder",
    sqlite3.SQLITE_PERM: "it cannot be opened; give the user that runs culld the state folder",
    sqlite3.SQLITE_IOERR: "its disk reports an error; check the disk",
    sqlite3.SQLITE_CORRUPT: "it is damaged; start culld again, which sets it aside and begins a new one",
    sqlite3.SQLITE_NOTADB: "it is no database; start culld again, which sets it aside and begins a new one",
}


class _DamagedError(Exception):
    """The file is not a sound database."""


def connect(path: Path, now: datetime) -> tuple[sqlite3.Connection, Path | None]:
    """The database, made or migrated as needed; and where a damaged one was set aside, if it was.

    Raises SystemFaultError.
    """
    _make_folder(path)
    with translated(path):
        try:
            return _connect(path), None
        except _DamagedError:
            aside = _set_aside(path, now)
            return _connect(path), aside


def connect_readonly(path: Path) -> sqlite3.Connection:
    """The database for reading only; raises SystemFaultError if there is none."""
    if not path.exists():
        raise SystemFaultError(
            f"there is no journal at {printable(path)}: culld has not run yet; `culld run` begins one"
        )
    with translated(path):
        uri = f"file:{quote(os.fsencode(path))}?mode=ro"
        db = sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
        (version,) = db.execute("PRAGMA user_version").fetchone()
        require_known(version)
        if version < len(STEPS):
            db.close()
            raise SystemFaultError(f"the journal {printable(path)} is of an older culld; start culld once to renew it")
        return db


@dataclass(frozen=True, slots=True)
class translated:  # noqa: N801 (reads as a function; as a class it costs half of what a generator does)
    """Turn database and file errors of the block into a SystemFaultError that says what to do."""

    path: Path

    def __enter__(self) -> None:
        """Nothing can go wrong yet."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Say it in culld's words."""
        if isinstance(error, sqlite3.Error):
            advice = _ADVICE.get(_primary(error), str(error))
            raise SystemFaultError(f"the journal {printable(self.path)} fails: {advice}") from error
        if isinstance(error, OSError):
            told = f"the journal {printable(self.path)} fails: {error.strerror}; check its folder"
            raise SystemFaultError(told) from error


def _make_folder(path: Path) -> None:
    with translated(path):
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
        if _primary(error) in _CORRUPT:
            raise _DamagedError from error
        raise
    except BaseException:  # whatever it was, also Ctrl-C, the file must not stay open
        db.close()
        raise
    return db


def _require_sound(db: sqlite3.Connection) -> None:
    if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise _DamagedError


def _primary(error: sqlite3.Error) -> int:
    """The primary result code; errors of the Python module itself have none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def _set_aside(path: Path, now: datetime) -> Path:
    """Rename the database and the files that belong to it; gives its new path."""
    tail = f".damaged-{now:%Y%m%dT%H%M%S.%f}"
    aside = path.with_name(path.name + tail)
    for end in ("", "-wal", "-shm"):
        part = path.with_name(path.name + end)
        if part.exists():
            part.rename(path.with_name(path.name + tail + end))
    return aside
