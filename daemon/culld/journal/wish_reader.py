"""The reads for the review page: states of photos, decisions by their number, and the progress of wishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.journal.database_errors import translate_errors
from culld.journal.plans import moves_of
from culld.journal.row_mapping import SELECT_DECISIONS, decision_of, moment_of, place_row
from culld.journal.tagged import TagReader
from culld.records import (
    Answer,
    ItemOutcome,
    ItemState,
    ReviewState,
    Wish,
    WishItem,
    WishKind,
    WishProgress,
    review_state,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from culld.records import RecordedDecision, RootedPath

_AT_ONCE: Final = 500

SUPERSEDED: Final = """
(NOT (decision.verdict = 'quarantine' AND decision.restored_at IS NULL AND decision.released = '')
 AND (EXISTS (SELECT 1 FROM decision AS later WHERE later.root = decision.now_root
              AND later.relative = decision.now_relative AND later.id > decision.id AND later.state = 'done')
      OR (decision.released IN ('unclear', 'deleted') AND EXISTS (
              SELECT 1 FROM decision AS later WHERE later.root = decision.root
              AND later.relative = decision.relative AND later.id > decision.id AND later.state = 'done'))))
"""
"""Whether a later decision about the photo was carried out: a photo in quarantine and one at its old path are two."""

_REVIEWED: Final = f"""
SELECT decision.id AS number, answer.answer AS answer, {SUPERSEDED} AS superseded
FROM decision LEFT JOIN answer ON answer.decision = decision.id WHERE decision.id IN (%s)
"""  # noqa: S608 (the parts are constants)


@dataclass(frozen=True, slots=True)
class OpenWish:
    """A wish of which photos wait, without its items."""

    id: str
    kind: WishKind
    policy: str


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A photo of a wish that waits; `begun`: files may have been changed for it before culld was stopped."""

    item: WishItem
    begun: bool


class WishReader(TagReader):
    """The reads of the review page and of the loop that carries wishes out."""

    def decision(self, number: int) -> RecordedDecision | None:
        """Return the decision with a number; None if there is none."""
        return next(iter(self._decisions("decision.id = ?", (number,))), None)

    def review_states(self, ids: Iterable[int]) -> dict[int, ReviewState]:
        """Return the state of the photo of each decision that the journal has, by the number of the decision."""
        return {number: state for number, (_, state) in self.reviewed(ids).items()}

    def reviewed(self, ids: Iterable[int]) -> dict[int, tuple[RecordedDecision, ReviewState]]:
        """Return each decision that the journal has with the state of its photo, by the number of the decision."""
        found: dict[int, tuple[RecordedDecision, ReviewState]] = {}
        wanted = list(ids)
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            known = {row["number"]: row for row in self._rows(_REVIEWED % marks, some)}
            for row in self._rows(f"{SELECT_DECISIONS} WHERE decision.id IN ({marks})", some):
                decision = decision_of(row)
                found[row["number"]] = decision, _state(decision, known.get(row["number"]))
        return found

    def wish_progress(self, wish: str) -> WishProgress | None:
        """Return how far a wish is; None if the journal does not have it."""
        rows = self._rows("SELECT kind, policy, taken_at, ended_at FROM wish WHERE id = ?", (wish,))
        if not rows:
            return None
        kind, policy, taken_at, ended_at = rows[0]
        items = self._rows(
            "SELECT decision, seen, state, note, now FROM wish_item WHERE wish = ? ORDER BY number", (wish,)
        )
        outcomes = tuple(
            ItemOutcome(WishItem(each["decision"], ReviewState(each["seen"])), ItemState(each["state"]), *each[3:])
            for each in items
        )
        known = Wish(wish, WishKind(kind), tuple(each.item for each in outcomes), policy)
        return WishProgress(known, moment_of(taken_at), None if ended_at is None else moment_of(ended_at), outcomes)

    def wishes_waiting(self) -> int:
        """Return how many wishes were taken and have not ended."""
        ((count,),) = self._rows("SELECT count(*) FROM wish WHERE ended_at IS NULL")
        return int(count)

    def open_wish(self) -> OpenWish | None:
        """Return the wish that was taken first of those that have not ended; None if there is none."""
        rows = self._rows("SELECT id, kind, policy FROM wish WHERE ended_at IS NULL ORDER BY taken_at LIMIT 1")
        return next((OpenWish(each["id"], WishKind(each["kind"]), each["policy"]) for each in rows), None)

    def open_items(self, wish: str, limit: int) -> list[OpenItem]:
        """Return the first photos of a wish that wait, those first that were begun."""
        return self._open_items(wish, "ORDER BY begun DESC, number LIMIT ?", limit)

    def open_items_at(self, wish: str, place: RootedPath) -> list[OpenItem]:
        """Return the photos of a wish that wait and were judged at a path."""
        where = "AND decision IN (SELECT id FROM decision WHERE root = ? AND relative = ?)"
        return self._open_items(wish, where, *place_row(place))

    def _open_items(self, wish: str, where: str, *values: object) -> list[OpenItem]:
        rows = self._rows(
            f"SELECT decision, seen, begun FROM wish_item WHERE wish = ? AND state = 'waiting' {where}",  # noqa: S608
            (wish, *values),
        )
        return [OpenItem(WishItem(each[0], ReviewState(each[1])), bool(each[2])) for each in rows]

    def latest_about(self, decision: RecordedDecision) -> int | None:
        """Return the number of the last decision that was carried out about the photo of a decision, or None."""
        rows = self._rows(
            "SELECT max(id) AS number FROM decision WHERE state = 'done' AND"
            " (plan = :plan OR (root = :root AND relative = :relative AND id > (SELECT id FROM decision AS known"
            " WHERE known.plan = :plan)))",
            {"plan": decision.plan, **dict(zip(("root", "relative"), place_row(decision.now), strict=True))},
        )
        return None if rows[0]["number"] is None else int(rows[0]["number"])

    def moved_to(self, decision: RecordedDecision) -> RootedPath:
        """Return the path in quarantine that a decision moved its photo to, also after it was restored."""
        with translate_errors(self.path):
            moves = moves_of(self._db, decision.plan)
        return moves[-1].target if moves else decision.now

    def of_shot(self, shot: str) -> dict[int, RecordedDecision]:
        """Return the decisions that moved photos of a shot to quarantine and are not superseded, by their numbers.

        `shot` is the part of the ids of their plans before the colon.
        """
        rows = self._rows(
            f"{SELECT_DECISIONS} WHERE plan >= ? AND plan < ? AND verdict = 'quarantine' AND decision.state = 'done'"
            f" AND NOT {SUPERSEDED} ORDER BY decision.id",
            (f"{shot}:", f"{shot};"),
        )
        return {row["number"]: decision_of(row) for row in rows}

    def confirmed(self) -> frozenset[str]:
        """Return the plans of the decisions that a person called right."""
        rows = self._rows(
            "SELECT plan FROM answer JOIN decision ON decision.id = answer.decision WHERE answer = ?", (Answer.RIGHT,)
        )
        return frozenset(each["plan"] for each in rows)


def _state(decision: RecordedDecision, row: sqlite3.Row | None) -> ReviewState:
    if row is None:  # it was deleted between the two reads
        return ReviewState.SUPERSEDED
    answer = None if row["answer"] is None else Answer(row["answer"])
    return review_state(decision, answer, superseded=bool(row["superseded"]))
