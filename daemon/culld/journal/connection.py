"""The connection to the database: durable settings, a check, transactions; a damaged file is renamed, not deleted."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from culld.errors import NotRunYetError, SystemFaultError
from culld.journal.database_errors import CORRUPT, primary, translate_errors, translate_file_errors
from culld.journal.migrations import STEPS, migrate, require_known
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from culld.ports import Clock

_BUSY_TIMEOUT_S = 10


class _DamagedError(Exception):
    """The file is not a sound database."""


class Database:
    """An open journal database, used by the thread that opened it; every method may raise SystemFaultError.

    Other processes may have it open at the same time: its transactions are short, and each waits for the other.
    `set_aside` is where a damaged database was renamed to at opening, if it was.
    """

    def __init__(self, db: sqlite3.Connection, path: Path, clock: Clock, set_aside: Path | None = None) -> None:
        """Use a connection that `open` or `open_readonly` made; `path` is for messages."""
        self._db = db
        self._clock = clock
        self.path = path
        self.set_aside = set_aside

    @classmethod
    def open(cls, path: Path, clock: Clock) -> Self:
        """Open or create the journal; a damaged one is renamed, never deleted, and a new one created."""
        db, aside = connect(path, clock.now())
        return cls(db, path, clock, aside)

    @classmethod
    def open_readonly(cls, path: Path, clock: Clock) -> Self:
        """Open the journal for reading only; raises SystemFaultError if there is none, or if it is an older version."""
        return cls(connect_readonly(path), path, clock)

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rows(self, sql: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[sqlite3.Row]:
        """Return all rows of a statement; their columns have names."""
        with translate_errors(self.path):
            cursor = self._db.cursor()
            cursor.row_factory = sqlite3.Row
            return cursor.execute(sql, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Run the block as one transaction: after any exception nothing of it is stored."""
        with translate_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:  # also Ctrl-C: an open transaction would hold the database
                if self._db.in_transaction:  # SQLite itself ends it when the disk is full or fails
                    self._db.execute("ROLLBACK")
                raise


def connect(path: Path, now: datetime) -> tuple[sqlite3.Connection, Path | None]:
    """Return the database, created or migrated as needed, and the new path of a damaged one, if there was one.

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
    """Return the database for reading only; raises SystemFaultError if there is none, or if it is an older version."""
    with translate_file_errors(path):
        is_there = path.exists()
    if not is_there:
        raise NotRunYetError(
            f"there is no journal at {display_path(path)}: culld has not run yet; `culld run` creates it"
        )
    with translate_errors(path):
        uri = f"file:{quote(os.fsencode(path))}?mode=ro"
        db = sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
        try:
            require_current(db, path)
        except BaseException:
            db.close()
            raise
        return db


def require_current(db: sqlite3.Connection, path: Path) -> None:
    """Raise SystemFaultError for a database of an older or a newer culld; an error of SQLite is not translated."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    require_known(version)
    if version < len(STEPS):
        raise SystemFaultError(
            f"the journal {display_path(path)} has the format of an older culld; start culld once to upgrade it"
        )


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
    except BaseException:  # also Ctrl-C: the file must not stay open
        db.close()
        raise
    return db


def _require_sound(db: sqlite3.Connection) -> None:
    if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise _DamagedError


def _rename_damaged(path: Path, now: datetime) -> Path:
    """Rename the database and the files that belong to it; return its new path."""
    tail = f".damaged-{now:%Y%m%dT%H%M%S.%f}"
    aside = path.with_name(path.name + tail)
    for end in ("", "-wal", "-shm"):
        part = path.with_name(path.name + end)
        if part.exists():
            part.rename(path.with_name(path.name + tail + end))
    return aside
