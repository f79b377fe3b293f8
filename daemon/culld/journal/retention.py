"""What the journal forgets: old decisions that nothing hangs on any more, and files that are gone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from culld.journal.file_state import delete
from culld.journal.row_mapping import place_of, to_micros

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from culld.records import RootedPath

_AT_ONCE: Final = 1000

# A photo in quarantine keeps its decision, and so does what is not ended: both are needed to put things right. One that
# was deleted may only have been moved elsewhere: by its decision culld knows its bytes if they come back. The newest
# decision is kept, since SQLite would give its number to the next one, and numbers tell which is older.
_FORGET: Final = """
DELETE FROM decision WHERE id IN (
    SELECT id FROM decision WHERE made_at < :before AND id <= :last AND id < (SELECT max(id) FROM decision) AND (
        state = 'done' AND (verdict != 'quarantine' OR restored_at IS NOT NULL OR released NOT IN ('', 'deleted'))
        OR state IN ('fault', 'forgotten')
    ) LIMIT :limit
)
"""


def forget_decisions(db: sqlite3.Connection, before: datetime, last: int) -> int:
    """Drop some of the decisions made before a moment, up to the number `last`, with the bytes to undo them.

    Returns how many, 0 if none is left.

    That a photo was judged, or brought back by a person, is not forgotten.
    """
    return db.execute(_FORGET, {"before": to_micros(before), "last": last, "limit": _AT_ONCE}).rowcount


def last_number(db: sqlite3.Connection) -> int:
    """The number of the newest decision; 0 if there is none."""
    (number,) = db.execute("SELECT ifnull(max(id), 0) FROM decision").fetchone()
    return int(number)


def number_of(db: sqlite3.Connection, plan: str) -> int | None:
    """The number of the decision of a plan; None if it is not known."""
    row = db.execute("SELECT id FROM decision WHERE plan = ?", (plan,)).fetchone()
    return None if row is None else int(row[0])


def judged_files(db: sqlite3.Connection, root: Path, after: RootedPath | None) -> list[RootedPath]:
    """Some of the files of a root that were judged, in order, from the one `after` on; none if none is left."""
    rows = db.execute(
        "SELECT root, relative FROM item WHERE root = ? AND relative > ? AND state = 'decided'"
        " ORDER BY relative LIMIT ?",
        (os.fsencode(root), b"" if after is None else os.fsencode(after.relative), _AT_ONCE),
    )
    return [place_of(*row) for row in rows]


def forget_files(db: sqlite3.Connection, places: Iterable[RootedPath]) -> None:
    """These files are gone; one that comes back is judged as a new one."""
    for place in places:
        delete(db, place)
