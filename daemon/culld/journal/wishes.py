"""The writes for wishes: a wish that is taken, the photos that are begun, and their outcomes with the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from culld.errors import BadWishError
from culld.journal import file_state
from culld.journal.file_state import FileState
from culld.journal.plans import lift_restored
from culld.journal.row_mapping import escape_surrogates, place_row, to_micros
from culld.journal.wish_reader import WishReader
from culld.records import BY_PERSON, ReviewState, WishItem, WishKind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from culld.records import Answer, FileStat, ItemOutcome, RecordedDecision, RootedPath, Wish

WITHDRAWN: Final = "withdrawn"
"""The value of `RecordedDecision.released` of a reject whose restore a person took back."""


class Wishes(WishReader):
    """The tables `wish`, `wish_item` and `answer`."""

    def take_wish(self, wish: Wish) -> None:
        """Store a wish durably; one that is known already is not stored again.

        Raises BadWishError if the id belongs to another wish.
        """
        with self._writing() as db:
            known = _known(db, wish.id)
            if known is None:
                _insert(db, wish, to_micros(self._clock.now()))
            elif known != (wish.kind, wish.policy, wish.items):
                raise BadWishError("Its id belongs to another wish.")

    def begin_items(self, wish: str, decisions: Collection[int]) -> None:
        """Store that files may be changed from now on for these photos of a wish."""
        with self._writing() as db:
            db.executemany(
                "UPDATE wish_item SET begun = 1 WHERE wish = ? AND decision = ?", [(wish, each) for each in decisions]
            )

    def end_items(
        self, wish: str, outcomes: Sequence[ItemOutcome], answers: Mapping[int, Answer | None] | None = None
    ) -> bool:
        """Store the outcomes of photos of a wish together with answers, by decision; None deletes the answer.

        The wish ends when none of its photos waits; return whether it did.
        """
        now = to_micros(self._clock.now())
        with self._writing() as db:
            for decision, answer in (answers or {}).items():
                _answer(db, decision, answer, now)
            db.executemany(
                "UPDATE wish_item SET state = ?, note = ?, now = ? WHERE wish = ? AND decision = ?",
                [(each.state, escape_surrogates(each.note), each.now, wish, each.item.decision) for each in outcomes],
            )
            ended = db.execute(
                "UPDATE wish SET ended_at = ? WHERE id = ? AND ended_at IS NULL"
                " AND NOT EXISTS (SELECT 1 FROM wish_item WHERE wish = wish.id AND state = 'waiting')",
                (now, wish),
            )
            return ended.rowcount > 0

    def note_still_quarantined(
        self, decision: RecordedDecision, place: RootedPath, stamp: FileStat | None, digest: str
    ) -> None:
        """Store that a restore failed: the photo of a decision is still in quarantine, at `place`, with this content.

        It is neither restored nor protected.
        """
        with self._writing() as db:
            lift_restored(db, decision.plan)
            file_state.delete(db, decision.now)
            file_state.save(db, place, stamp, digest, FileState.DECIDED)
            db.execute(
                "UPDATE decision SET restored_at = NULL, now_root = ?, now_relative = ?, now_digest = ? WHERE plan = ?",
                (*place_row(place), digest, decision.plan),
            )

    def lift_protection(self, decision: RecordedDecision) -> None:
        """Store that a person took back a restore or an untag: the photo is judged again as if it was never restored.

        The earlier restore is no feedback any more.
        """
        with self._writing() as db:
            lift_restored(db, decision.plan)
            db.execute("DELETE FROM answer WHERE decision = (SELECT id FROM decision WHERE plan = ?)", (decision.plan,))
            db.execute(
                "UPDATE decision SET restored_at = NULL,"
                " released = CASE WHEN verdict = 'quarantine' THEN ? ELSE released END WHERE plan = ?",
                (WITHDRAWN, decision.plan),
            )
            file_state.delete(db, decision.now)

    def forget_wishes(self, before: datetime) -> None:
        """Delete the wishes that ended before a moment."""
        with self._writing() as db:
            db.execute("DELETE FROM wish WHERE ended_at < ?", (to_micros(before),))

    def person_reject_after(self, number: int, decision: RecordedDecision) -> RecordedDecision | None:
        """Return the last reject by a person of the photo of a decision with a number, after it, that was done."""
        (root, relative), (now_root, now_relative) = place_row(decision.place), place_row(decision.now)
        found = self._decisions(
            "decision.id > ?1 AND rule = ?6 AND decision.state = 'done' AND ((decision.root = ?2 AND"
            " decision.relative = ?3) OR (decision.root = ?4 AND decision.relative = ?5))"
            " AND decision.digest IN (?7, ?8) ORDER BY decision.id DESC LIMIT 1",
            (number, root, relative, now_root, now_relative, BY_PERSON, decision.digest, decision.now_digest),
        )
        return next(iter(found), None)


def note_untagged_or_restored(db: sqlite3.Connection, plan: str, now: int) -> None:
    """Store the answer that follows from a restore: none for a photo that was moved, `untagged` for a tagged one."""
    db.execute("DELETE FROM answer WHERE decision = (SELECT id FROM decision WHERE plan = ?)", (plan,))
    db.execute(
        "INSERT INTO answer SELECT id, 'untagged', ? FROM decision WHERE plan = ? AND verdict = 'tag'", (now, plan)
    )


def _answer(db: sqlite3.Connection, decision: int, answer: Answer | None, now: int) -> None:
    if answer is None:
        db.execute("DELETE FROM answer WHERE decision = ?", (decision,))
    else:
        db.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?)", (decision, answer, now))


def _known(db: sqlite3.Connection, wish: str) -> tuple[WishKind, str, tuple[WishItem, ...]] | None:
    row = db.execute("SELECT kind, policy FROM wish WHERE id = ?", (wish,)).fetchone()
    if row is None:
        return None
    items = db.execute("SELECT decision, seen FROM wish_item WHERE wish = ? ORDER BY number", (wish,))
    return WishKind(row[0]), row[1], tuple(WishItem(decision, ReviewState(seen)) for decision, seen in items)


def _insert(db: sqlite3.Connection, wish: Wish, now: int) -> None:
    """Insert a wish after all others: a clock that was set back must not change the order."""
    ((last,),) = db.execute("SELECT ifnull(max(taken_at), 0) FROM wish").fetchall()
    values = (wish.id, wish.kind, wish.policy, max(now, last + 1))
    db.execute("INSERT INTO wish (id, kind, policy, taken_at) VALUES (?, ?, ?, ?)", values)
    db.executemany(
        "INSERT INTO wish_item (wish, number, decision, seen) VALUES (?, ?, ?, ?)",
        [(wish.id, number, item.decision, item.seen) for number, item in enumerate(wish.items)],
    )
