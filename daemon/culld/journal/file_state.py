"""The table `item`: the stamp and the state of every file that was judged or tried."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING

from culld.journal.row_mapping import escape_surrogates, place_row, stamp_row, to_micros
from culld.retry import FARTHEST_TRY

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from culld.records import FileSnapshot, FileStat, Photo, RootedPath
    from culld.retry import RetryPolicy

_ROW = "SELECT relative, device, inode, size, mtime_ns, ctime_ns, not_before FROM item WHERE root = :root"
_NOT_JUDGED = "state NOT IN ('decided', 'restored')"
_FEW = 16
_RESTORED = """
WITH RECURSIVE version (digest) AS (
    SELECT ?1 UNION SELECT decision.digest FROM version JOIN decision ON now_digest = version.digest
    WHERE decision.state = 'done'
)
SELECT 1 FROM version JOIN restored ON restored.digest = version.digest LIMIT 1
"""


class FileState(StrEnum):
    """Why a file is not read now; a file without a row is judged once it has settled."""

    DECIDED = "decided"
    """It was judged and not moved; it is skipped until it changes."""
    FAULT = "fault"
    """It could not be read or changed; it is skipped until the next try is due, or it changes."""
    OPEN = "open"
    """It belongs to a plan that is open or parked; it is skipped until that plan ends, or it changes."""
    RESTORED = "restored"
    """The user restored it; it is skipped until it changes, and with this content it is never moved again."""


@dataclass(frozen=True, slots=True)
class OpenFault:
    """A file that could not be read or changed, how often it was tried, and when the next try is due (None: never)."""

    place: RootedPath
    reason: str
    tries: int
    next_at: datetime | None


def changed_files(
    db: sqlite3.Connection, seen: Iterable[FileSnapshot], now: datetime, *, judged: bool = False
) -> Iterator[FileSnapshot]:
    """Yield the files that have no row with their stamp, or are due for another try.

    With `judged` also yield those that were judged, or restored by the user. The function is called for every file of
    every scan, so the rows of a folder with many of them are read at once.
    """
    select = f"{_ROW} AND {_NOT_JUDGED}" if judged else _ROW
    moment, farthest = to_micros(now), to_micros(now + FARTHEST_TRY)
    for (root, folder), group in groupby(seen, _folder):
        first = list(islice(group, _FEW))
        rows = _rows_of(db, select, first) if len(first) < _FEW else _rows_in(db, select, root, folder)
        for snapshot in chain(first, group):
            row = rows.get(os.fsencode(snapshot.place.relative))
            if row is None or row[:5] != stamp_row(snapshot.stamp) or _is_due(row[5], moment, farthest):
                yield snapshot


def _is_due(not_before: int | None, moment: int, farthest: int) -> bool:
    return not_before is not None and not moment < not_before <= farthest


def _folder(snapshot: FileSnapshot) -> tuple[Path, bytes]:
    """Return the root of a file and the folder in it, which ends with a slash and is empty for the root itself."""
    head, slash, _ = os.fsencode(snapshot.place.relative).rpartition(b"/")
    return snapshot.place.root, head + slash


def _rows_in(db: sqlite3.Connection, select: str, root: Path, folder: bytes) -> dict[bytes, tuple[int | None, ...]]:
    """Return the rows of the files of one folder, not of those below it, by relative path."""
    sql = select
    if folder:
        sql += " AND relative > :folder AND relative < :end"
    sql += " AND instr(substr(relative, :length + 1), x'2F') = 0"
    after = folder[:-1] + b"0"  # the character that follows the slash
    values = {"root": os.fsencode(root), "folder": folder, "end": after, "length": len(folder)}
    return {row[0]: row[1:] for row in db.execute(sql, values)}


def _rows_of(db: sqlite3.Connection, select: str, seen: Iterable[FileSnapshot]) -> dict[bytes, tuple[int | None, ...]]:
    """Return the rows of some files, by relative path."""
    places = (place_row(snapshot.place) for snapshot in seen)
    rows = (
        db.execute(f"{select} AND relative = :relative", {"root": root, "relative": relative}).fetchone()
        for root, relative in places
    )
    return {row[0]: row[1:] for row in rows if row is not None}


def was_judged(db: sqlite3.Connection, photo: Photo) -> bool:
    """Return whether this content was judged, or restored by the user, at this path."""
    row = db.execute(
        "SELECT state, digest FROM item WHERE root = ? AND relative = ?", place_row(photo.place)
    ).fetchone()
    if row is None or row[0] not in {FileState.DECIDED, FileState.RESTORED}:
        return False
    return row[1] == photo.digest or (row[0] == FileState.RESTORED and is_restored(db, photo.digest))


def judged_digest(db: sqlite3.Connection, place: RootedPath) -> str | None:
    """Return the digest of the content that was judged, or restored by the user, at a path; None if none was."""
    row = db.execute(
        "SELECT digest FROM item WHERE root = ? AND relative = ? AND state IN ('decided', 'restored')", place_row(place)
    ).fetchone()
    return None if row is None else str(row[0])


def digest_with_stamp(db: sqlite3.Connection, place: RootedPath, stamp: FileStat) -> str | None:
    """Return the digest of the content at a path if its row has this stamp, else None; empty for a restored file."""
    row = db.execute(
        "SELECT digest FROM item WHERE root = ? AND relative = ? AND (device, inode, size, mtime_ns, ctime_ns) ="
        " (?, ?, ?, ?, ?) AND state IN ('decided', 'restored')",
        (*place_row(place), *stamp_row(stamp)),
    ).fetchone()
    return None if row is None else str(row[0])


def is_restored(db: sqlite3.Connection, digest: str) -> bool:
    """Return whether the user restored this content, or the content that culld made this one of by tagging it."""
    return db.execute(_RESTORED, (digest,)).fetchone() is not None


def save(db: sqlite3.Connection, place: RootedPath, stamp: FileStat | None, digest: str, state: FileState) -> None:
    """Store the stamp and the state of a file for which no try is due."""
    db.execute(
        "INSERT OR REPLACE INTO item (root, relative, device, inode, size, mtime_ns, ctime_ns, digest, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*place_row(place), *stamp_row(stamp), digest, state),
    )


def restamp(db: sqlite3.Connection, place: RootedPath, stamp: FileStat) -> None:
    """Store the new stamp of a file whose content is the same."""
    db.execute(
        "UPDATE item SET device = ?, inode = ?, size = ?, mtime_ns = ?, ctime_ns = ? WHERE root = ? AND relative = ?",
        (*stamp_row(stamp), *place_row(place)),
    )


def delete(db: sqlite3.Connection, place: RootedPath) -> None:
    """Delete the row of a file that is gone, or is to be judged again."""
    db.execute("DELETE FROM item WHERE root = ? AND relative = ?", place_row(place))


def drop_quarantined(db: sqlite3.Connection, plan: str) -> None:
    """Delete the row of the photo that a plan moved: it is no longer in quarantine."""
    db.execute(
        "DELETE FROM item WHERE (root, relative, digest) ="
        " (SELECT now_root, now_relative, now_digest FROM decision"
        " WHERE plan = ? AND verdict = 'quarantine' AND restored_at IS NULL)",
        (plan,),
    )


def save_failure(db: sqlite3.Connection, place: RootedPath, stamp: FileStat, retry: RetryPolicy, now: datetime) -> None:
    """Store why a try failed, and when the next one is due; the failures of a changed file are counted from one."""
    row = db.execute(
        "SELECT device, inode, size, mtime_ns, ctime_ns, tries FROM item"
        " WHERE root = ? AND relative = ? AND state = 'fault'",
        place_row(place),
    ).fetchone()
    tries = 1 if row is None or row[:5] != stamp_row(stamp) else row[5] + 1
    wait = retry.wait(tries)
    db.execute(
        "INSERT OR REPLACE INTO item (root, relative, device, inode, size, mtime_ns, ctime_ns, state, reason, tries,"
        " not_before) VALUES (?, ?, ?, ?, ?, ?, ?, 'fault', ?, ?, ?)",
        (
            *place_row(place),
            *stamp_row(stamp),
            escape_surrogates(retry.reason),
            tries,
            None if wait is None else to_micros(now + wait),
        ),
    )


def park(db: sqlite3.Connection, place: RootedPath, stamp: FileStat | None, reason: str) -> None:
    """Store that the file belongs to a plan that has not ended: it is skipped while it has this stamp."""
    save(db, place, stamp, "", FileState.OPEN)
    db.execute(
        "UPDATE item SET reason = ? WHERE root = ? AND relative = ?", (escape_surrogates(reason), *place_row(place))
    )
