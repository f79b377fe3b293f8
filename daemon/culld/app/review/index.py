"""The index of the review page: one row for each decision, kept up to date with the journal."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.app.review.columns import ANSWERS, ROW, Dictionaries, is_superseded, released_number, set_states

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

    from culld.journal.review import ReviewReader


@dataclass(slots=True)
class Index:
    """The rows of all decisions by their numbers; used by the thread that reads the journal.

    `change` is the number of the last change of a row or of a wish. It also grows over the end of the process, because
    the first one is the time in milliseconds: an ETag of an earlier process never matches other content. `ids` are the
    numbers of the rows, ascending; `wishes` are the marks of `ReviewReader.wish_marks`.
    """

    names: Dictionaries = field(default_factory=Dictionaries)
    rows: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, ROW))
    ids: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    change: int = 0
    first_change: int = 0
    _version: int | None = None
    wishes: tuple[object, ...] = ()
    _order: tuple[int, NDArray[np.intp]] = (-1, np.zeros(0, np.intp))
    _lists: dict[bool, tuple[int, NDArray[np.intp]]] = field(default_factory=dict)

    def refresh(self, journal: ReviewReader) -> bool:
        """Take over the changes of the journal since the last call; return whether there were any."""
        version = journal.version()
        if version == self._version:
            return False
        self._version = version
        change = max(self.change + 1, time.time_ns() // 1_000_000)
        if len(self.ids) != (journal.count_up_to(int(self.ids[-1])) if len(self.ids) else 0):
            self._forget_rows()  # old decisions were deleted
        before = self.rows["state"].copy()
        self._take_rows(journal)
        self._take_states(journal)
        set_states(self.rows)
        changed = np.ones(len(self.rows), np.bool_)
        changed[: len(before)] = self.rows["state"][: len(before)] != before
        wishes, self.wishes = self.wishes, journal.wish_marks()
        if not changed.any() and wishes == self.wishes and self.change:
            return False
        self.rows["change"][changed] = change
        self.change = change
        self.first_change = self.first_change or change
        return True

    def restore(
        self, rows: NDArray[np.void], names: Dictionaries, changes: tuple[int, int], wishes: tuple[object, ...]
    ) -> None:
        """Take over what an earlier process knew; `changes` are the first and the last one."""
        self.rows, self.ids, self.names = rows, np.ascontiguousarray(rows["id"]), names
        self.first_change, self.change = changes
        self.wishes = wishes
        self._version = None

    def forget_version(self) -> None:
        """Look at the journal at the next call of `refresh` in any case: it was opened again."""
        self._version = None

    def _forget_rows(self) -> None:
        self.rows, self.ids = np.zeros(0, ROW), np.zeros(0, np.uint32)
        self.first_change = 0

    def _take_rows(self, journal: ReviewReader) -> None:
        """Add the new rows, and read those again whose plan had not ended."""
        last = int(self.ids[-1]) if len(self.ids) else 0
        again = self.ids[self.rows["open"]].tolist()
        found = self.names.rows_of(journal.index_rows(last, again))
        replaced = found[found["id"] <= last]
        at = self.positions(replaced["id"])
        for kept in ("superseded", "replaced", "change", "state"):
            replaced[kept] = self.rows[kept][at]
        self.rows[at] = replaced
        self.rows = np.concatenate([self.rows, found[found["id"] > last]])
        self.ids = np.ascontiguousarray(self.rows["id"])
        self._mark_superseded([*journal.superseded_by(last, again), *journal.superseded_among(again)])

    def _take_states(self, journal: ReviewReader) -> None:
        left, before = journal.left_quarantine(), self.rows[["restored", "released"]].copy()
        for column in ("restored", "released", "answer"):
            self.rows[column] = 0
        self._mark("restored", [(number, restored) for number, restored, _ in left])
        self._mark("released", [(number, released_number(released)) for number, _, released in left])
        self._mark("answer", [(number, ANSWERS.index(answer)) for number, answer in journal.answers()])

        moved = (before["restored"] != self.rows["restored"]) | (before["released"] != self.rows["released"])
        for column in ("superseded", "replaced"):  # their photos are at other paths now
            self.rows[column][moved] = False
        self._mark_superseded(journal.superseded_among(self.ids[moved].tolist()))

    def _mark_superseded(self, found: Collection[tuple[int, bool]]) -> None:
        for column, is_now in (("superseded", True), ("replaced", False)):
            self._mark(column, [(number, True) for number, where in found if where is is_now])

    def _mark(self, column: str, values: Iterable[tuple[int, int]]) -> None:
        """Set a column of the rows with the given numbers, those that exist."""
        pairs = np.array(list(values), np.int64).reshape(-1, 2)
        at = self.positions(pairs[:, 0])
        known = at < len(self.ids)
        known[known] = self.ids[at[known]] == pairs[known, 0]
        self.rows[column][at[known]] = pairs[known, 1]

    def positions(self, ids: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
        """Return where the numbers are among `ids`, or would be."""
        return np.searchsorted(self.ids, ids)

    def state_of(self, number: int) -> int | None:
        """Return the number of the state of a decision; None if there is no decision with this number."""
        at = int(np.searchsorted(self.ids, np.uint32(number))) if number < 1 << 32 else len(self.ids)
        if at == len(self.ids) or int(self.ids[at]) != number:
            return None
        return int(self.rows["state"][at])

    def burst_of(self, number: int) -> list[int]:
        """Return the numbers of the photos of a photo's series, in the order of time; empty if it is in none."""
        at = int(np.searchsorted(self.ids, np.uint32(number)))
        if at == len(self.ids) or int(self.ids[at]) != number or not self.rows["burst"][at]:
            return []
        return self.in_bursts(self.rows["burst"][at : at + 1])

    def in_bursts(self, bursts: NDArray[np.uint32]) -> list[int]:
        """Return the numbers of the last decisions about the photos of some series, in the order of time."""
        members = self.rows[np.isin(self.rows["burst"], bursts[bursts > 0])]
        members = members[~is_superseded(members)]
        return [int(each) for each in members["id"][np.lexsort((members["id"], members["taken"]))]]

    def shown(self, *, kept: bool, limit: int | None = None) -> NDArray[np.void]:
        """Return the rows that the page lists, the last taken first: those of the last decision about each photo.

        `kept`: also kept photos; `limit`: at most so many rows (None: all).
        """
        found: NDArray[np.void] = self.rows[self._listed(kept=kept)[:limit]]
        return found

    def count_shown(self, *, kept: bool) -> int:
        """Return how many rows `shown` returns without a limit."""
        return len(self._listed(kept=kept))

    def changed(self, *, kept: bool, since: int) -> NDArray[np.void]:
        """Return the rows that changed after a change, the last taken first, also those of superseded decisions."""
        rows = self.rows[self._newest_first()]
        found: NDArray[np.void] = rows[(kept | (rows["verdict"] != 0)) & (rows["change"] > since)]
        return found

    def _listed(self, *, kept: bool) -> NDArray[np.intp]:
        """Return the positions of the rows that the page lists, kept until the next change."""
        if kept not in self._lists or self._lists[kept][0] != self.change:
            order = self._newest_first()
            rows = self.rows[order]
            self._lists[kept] = self.change, order[(kept | (rows["verdict"] != 0)) & ~is_superseded(rows)]
        return self._lists[kept][1]

    def _newest_first(self) -> NDArray[np.intp]:
        if self._order[0] != self.change:
            when = np.where(self.rows["taken"] > 0, self.rows["taken"], self.rows["made"])
            self._order = self.change, np.lexsort((self.ids, when))[::-1]
        return self._order[1]
