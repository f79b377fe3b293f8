"""The index of the review page: one row for each decision, kept up to date with the journal."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.app.review.columns import ANSWERS, ROW, Dictionaries, is_superseded, released_number, set_states

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from culld.journal.review import ReviewReader


@dataclass(slots=True)
class Index:
    """The rows of all decisions by their numbers; used by the thread that reads the journal.

    `change` is the number of the last change of a row or of a wish. It also grows over the end of the process, because
    the first one is the time in milliseconds: an ETag of an earlier process never matches other content.
    """

    names: Dictionaries = field(default_factory=Dictionaries)
    rows: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, ROW))
    change: int = 0
    first_change: int = 0
    _version: int | None = None
    _wishes: tuple[object, ...] = ()

    def refresh(self, journal: ReviewReader) -> bool:
        """Take over the changes of the journal since the last call; return whether there were any."""
        version = journal.version()
        if version == self._version:
            return False
        self._version = version
        change = max(self.change + 1, time.time_ns() // 1_000_000)
        if len(self.rows) != (journal.count_up_to(int(self.rows["id"][-1])) if len(self.rows) else 0):
            self.rows = np.zeros(0, ROW)  # old decisions were deleted
            self.first_change = change
        before = self.rows.copy()
        self._take_rows(journal)
        self._take_states(journal)
        set_states(self.rows)
        changed = self._changed(before)
        wishes, self._wishes = self._wishes, journal.wish_marks()
        if not changed.any() and wishes == self._wishes:
            return False
        self.rows["change"][changed] = change
        self.change = change
        self.first_change = self.first_change or change
        return True

    def forget_version(self) -> None:
        """Look at the journal at the next call of `refresh` in any case: it was opened again."""
        self._version = None

    def _take_rows(self, journal: ReviewReader) -> None:
        """Add the new rows, and read those again whose plan had not ended."""
        last = int(self.rows["id"][-1]) if len(self.rows) else 0
        again = self.rows["id"][self.rows["open"]].tolist()
        found = self.names.rows_of(journal.index_rows(last, again))
        replaced = found[found["id"] <= last]
        at = self.positions(replaced["id"])
        replaced["superseded"], replaced["change"] = self.rows["superseded"][at], self.rows["change"][at]
        self.rows[at] = replaced
        self.rows = np.concatenate([self.rows, found[found["id"] > last]])
        self._mark("superseded", [(number, True) for number in journal.superseded_by(last, again)])

    def _take_states(self, journal: ReviewReader) -> None:
        left = journal.left_quarantine()
        for column in ("restored", "released", "answer"):
            self.rows[column] = 0
        self._mark("restored", [(number, restored) for number, restored, _ in left])
        self._mark("released", [(number, released_number(released)) for number, _, released in left])
        self._mark("answer", [(number, ANSWERS.index(answer)) for number, answer in journal.answers()])

    def _mark(self, column: str, values: Iterable[tuple[int, int]]) -> None:
        """Set a column of the rows with the given numbers, those that exist."""
        pairs = np.array(list(values), np.int64).reshape(-1, 2)
        known = self.has(pairs[:, 0])
        self.rows[column][self.positions(pairs[known, 0])] = pairs[known, 1]

    def _changed(self, before: NDArray[np.void]) -> NDArray[np.bool_]:
        changed = np.ones(len(self.rows), np.bool_)
        changed[: len(before)] = self.rows[: len(before)] != before
        return changed

    def has(self, ids: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """Return which of the numbers are those of rows."""
        if not len(self.rows):
            return np.zeros(len(ids), np.bool_)
        found: NDArray[np.bool_] = self.rows["id"][self.positions(ids).clip(max=len(self.rows) - 1)] == ids
        return found

    def positions(self, ids: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
        """Return the positions of rows by their numbers."""
        return np.searchsorted(self.rows["id"], ids)

    def state_of(self, number: int) -> int | None:
        """Return the number of the state of a decision; None if there is no decision with this number."""
        ids = np.array([number], np.int64)
        at = int(np.searchsorted(self.rows["id"], ids)[0])
        if at == len(self.rows) or int(self.rows["id"][at]) != number:
            return None
        return int(self.rows["state"][at])

    def shown(self, *, kept: bool, since: int | None = None) -> NDArray[np.void]:
        """Return the rows that the page lists, the last taken first: those of the last decision about each photo.

        `kept`: also kept photos. With `since` only the rows that changed after that change, also superseded ones.
        """
        rows = self.rows
        chosen = np.ones(len(rows), np.bool_) if kept else rows["verdict"] != 0
        chosen &= ~is_superseded(rows) if since is None else rows["change"] > since
        found = rows[chosen]
        when = np.where(found["taken"] > 0, found["taken"], found["made"])
        return found[np.lexsort((found["id"], when))[::-1]]
