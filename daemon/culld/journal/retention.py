"""Deletion from the journal: old decisions that nothing depends on any more, and files that are gone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from culld.journal.connection import Database
from culld.journal.file_state import delete
from culld.journal.row_mapping import place_of, to_micros

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from culld.records import RootedPath

_AT_ONCE: Final = 1000

# Decisions about photos in quarantine and plans that have not ended are kept: restore and replay need them. A photo
# that was deleted from quarantine may have been moved elsewhere: by its decision culld recognises it if it returns.
# The newest decision is kept, because SQLite would give its number to the next one, and the numbers are the order.
_FORGET: Final = """
DELETE FROM decision WHERE id IN (
    SELECT id FROM decision WHERE made_at < :before AND id <= :last AND id < (SELECT max(id) FROM decision) AND (
        state = 'done' AND (verdict != 'quarantine' OR restored_at IS NOT NULL OR released NOT IN ('', 'deleted'))
        OR state IN ('fault', 'forgotten')
    ) LIMIT :limit
)
"""


class Retention(Database):
    """The part of the journal that housekeeping uses."""

    def forget_decisions(self, before: datetime, last: int) -> int:
        """Delete some of the decisions made before a moment, up to the number `last`, with the bytes to undo them.

        Returns how many, 0 if none is left. That a photo was judged, or restored by the user, is kept.
        """
        with self._writing() as db:
            return db.execute(_FORGET, {"before": to_micros(before), "last": last, "limit": _AT_ONCE}).rowcount

    def forget_files(self, places: Iterable[RootedPath]) -> None:
        """Delete the states of files that are gone; a file that returns is judged as a new one."""
        with self._writing() as db:
            for place in places:
                delete(db, place)

    def judged_files(self, root: Path, after: RootedPath | None) -> list[RootedPath]:
        """Return the next 1000 judged files of a root in order, following the file `after`; empty at the end."""
        rows = self._rows(
            "SELECT root, relative FROM item WHERE root = ? AND relative > ? AND state = 'decided'"
            " ORDER BY relative LIMIT ?",
            (os.fsencode(root), b"" if after is None else os.fsencode(after.relative), _AT_ONCE),
        )
        return [place_of(*row) for row in rows]

    def last_number(self) -> int:
        """Return the number of the newest decision, 0 if there is none; later decisions have higher numbers."""
        ((number,),) = self._rows("SELECT ifnull(max(id), 0) FROM decision")
        return int(number)

    def number_of(self, plan: str) -> int | None:
        """Return the number of the decision of a plan; None if it is not known."""
        rows = self._rows("SELECT id FROM decision WHERE plan = ?", (plan,))
        return int(rows[0]["id"]) if rows else None
