"""Database errors as messages that name the cause and what to do."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.errors import SystemFaultError
from culld.records import display_path

if TYPE_CHECKING:
    from pathlib import Path

CORRUPT: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
"""The result codes of a file that is not a sound database."""

_LEAST_FREE: Final = 64 << 10
_ROOM: Final = "free space on {folder}, then start culld again"
_FULL: Final = f"the disk of the journal is full: {_ROOM}"
_OWNER: Final = "give the user that runs culld read and write access to {folder}"
_MOUNTED_READONLY: Final = "its file system is read-only; mount it writable, or check the system log for disk errors"
_IN_USE: Final = "another program has locked it; end that program, then start culld again"
_SET_ASIDE: Final = "start culld again, which renames it and creates a new one"

_BY_PRIMARY: Final = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: _IN_USE,
    sqlite3.SQLITE_LOCKED: _IN_USE,
    sqlite3.SQLITE_READONLY: f"it cannot be written; {_OWNER}",
    sqlite3.SQLITE_CANTOPEN: f"it cannot be opened; {_OWNER}",
    sqlite3.SQLITE_PERM: f"it cannot be opened; {_OWNER}",
    sqlite3.SQLITE_AUTH: f"it cannot be opened; {_OWNER}",
    sqlite3.SQLITE_NOMEM: "there is not enough memory; end other programs, then start culld again",
    sqlite3.SQLITE_TOOBIG: "a value is too large for it; this is a fault of culld, please report it",
    sqlite3.SQLITE_IOERR: "it cannot be read or written ({name}); check the disk, and the quota of the user",
    sqlite3.SQLITE_CORRUPT: f"it is damaged; {_SET_ASIDE}",
    sqlite3.SQLITE_NOTADB: f"it is not a database; {_SET_ASIDE}",
}
_BY_EXTENDED: Final = {
    sqlite3.SQLITE_READONLY_DBMOVED: "it was moved or replaced while culld had it open; start culld again",
    sqlite3.SQLITE_READONLY_DIRECTORY: f"no file can be made beside it; {_OWNER}",
    sqlite3.SQLITE_CANTOPEN_ISDIR: "a folder has its name; move that folder away, then start culld again",
    sqlite3.SQLITE_IOERR_NOMEM: "there is not enough memory; end other programs, then start culld again",
    sqlite3.SQLITE_IOERR_LOCK: "its file system has no locks ({name}); put `state` on a local disk",
    sqlite3.SQLITE_IOERR_UNLOCK: "its file system has no locks ({name}); put `state` on a local disk",
}
# These codes can also be caused by a full or a read-only disk.
_MAYBE_DISK: Final = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}


@dataclass(frozen=True, slots=True)
class translate_errors:  # noqa: N801 (reads as a function; as a class it costs half of what a generator does)
    """Turn the database errors of the block into a SystemFaultError about the journal at a path.

    An OSError passes through, because a block may iterate over the scanner, whose errors are not the journal's.
    """

    path: Path

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise SystemFaultError in place of a database error."""
        if isinstance(error, sqlite3.Error):
            raise SystemFaultError(
                f"the journal {display_path(self.path)} fails: {_advice(error, self.path)}"
            ) from error


@dataclass(frozen=True, slots=True)
class translate_file_errors:  # noqa: N801
    """Turn every OSError of the block, which works on the files of the journal, into a SystemFaultError."""

    path: Path

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise SystemFaultError in place of an OSError."""
        if isinstance(error, OSError):
            text = _disk_problem(self.path.parent) or f"{error.strerror or error}; check its folder"
            raise SystemFaultError(f"the journal {display_path(self.path)} fails: {text}") from error


def primary(error: sqlite3.Error) -> int:
    """Return the primary result code of SQLite; 0 for errors of the Python module itself, which have none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def _advice(error: sqlite3.Error, path: Path) -> str:
    code = primary(error)
    if code in _MAYBE_DISK and (problem := _disk_problem(path.parent)):
        return problem
    extended: int = getattr(error, "sqlite_errorcode", 0)
    text = _BY_EXTENDED.get(extended) or _BY_PRIMARY.get(code)
    if text is None:
        return str(error)
    return text.format(folder=display_path(path.parent), name=getattr(error, "sqlite_errorname", code))


def _disk_problem(folder: Path) -> str:
    """Return the message for a full or read-only disk of a folder; empty if it is neither, or if the folder is gone.

    SQLite reports ENOSPC as SQLITE_FULL only for the database itself, not for the shared memory beside it.
    """
    try:
        found = os.statvfs(folder)
    except OSError:  # the folder or its disk is gone: the error of the database is more exact
        return ""
    if found.f_flag & os.ST_RDONLY:
        return _MOUNTED_READONLY
    if found.f_bavail * found.f_frsize < _LEAST_FREE:
        return _FULL.format(folder=display_path(folder))
    if found.f_files and not found.f_favail:
        return f"the disk of the journal has no free inodes: remove some files from the disk of {display_path(folder)}"
    return ""
