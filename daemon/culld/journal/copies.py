"""The table `copy`: the repaired copies of photos that are asked for, begun, made, refused and removed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from culld.journal.row_mapping import (
    SELECT_DECISIONS,
    decision_of,
    escape_surrogates,
    moment_of,
    place_of,
    place_row,
    to_micros,
)
from culld.journal.tagged import TagReader
from culld.records import BY_PERSON, CopyState, RecordedCopy
from culld.retry import FARTHEST_TRY

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection
    from datetime import datetime
    from pathlib import Path

    from culld.records import RecordedDecision, RootedPath

_SELECT: Final = """
SELECT decision, copy.state, copy.root, copy.relative, copy.digest, copy.repair, copy.reason, asked_at, ended_at,
    by_person, tries FROM copy
"""
_NEXT: Final = """
JOIN decision ON decision.id = copy.decision
WHERE copy.state = 'waiting' AND (not_before IS NULL OR not_before <= ? OR not_before > ?)
    AND decision.root IN ({roots}) AND coalesce(now_root, decision.root) IN ({places})
ORDER BY by_person DESC, asked_at, copy.decision LIMIT ?
"""
_REJECTED: Final = """
SELECT id FROM decision WHERE unwanted AND policy IN (SELECT value FROM json_each(:policies)) AND id > :after
    AND state = 'done' AND rule != :person AND restored_at IS NULL AND released = ''
    AND substr(facts, 1, 17) != '{"format":"video"'
    AND NOT EXISTS (SELECT 1 FROM copy WHERE copy.decision = decision.id) ORDER BY id
"""
_LAST_ENDED: Final = """
SELECT coalesce((SELECT min(id) - 1 FROM decision WHERE state IN ('open', 'parked')),
    (SELECT max(id) FROM decision), 0)
"""
_ASK: Final = """
INSERT INTO copy (decision, state, asked_at, by_person) VALUES (?1, 'waiting', ?2, 1)
ON CONFLICT (decision) DO UPDATE SET state = 'waiting', root = NULL, relative = NULL, digest = '', repair = '',
    reason = '', asked_at = ?2, ended_at = NULL, by_person = 1, tries = 0, not_before = NULL
WHERE state NOT IN ('waiting', 'begun')
"""
_UNDOABLE: Final = "('waiting', 'begun', 'made')"


class CopyReader(TagReader):
    """The reads of repaired copies."""

    def copy_of(self, decision: int) -> RecordedCopy | None:
        """Return the copy of the photo of a decision; None if none was asked for."""
        return next(iter(self._copies("WHERE decision = ?", decision)), None)

    def copies_waiting(self) -> int:
        """Return how many copies wait to be made."""
        ((count,),) = self._rows("SELECT count(*) FROM copy WHERE state = 'waiting'")
        return int(count)

    def begun_copies(self) -> list[RecordedCopy]:
        """Return the copies whose files were being written when culld was stopped."""
        return self._copies("WHERE state = 'begun' ORDER BY decision")

    def next_copies(self, roots: Collection[Path], quarantine: Path, limit: int) -> list[RecordedCopy]:
        """Return the copies that wait and are due, those first that people asked for.

        Their photos were found below `roots`, and are there now or in the quarantine. At most `limit`; -1: all.
        """
        here = [os.fsencode(root) for root in roots]
        places = [*here, os.fsencode(quarantine)]
        now = self._clock.now()
        where = _NEXT.format(roots=", ".join("?" * len(here)), places=", ".join("?" * len(places)))
        return self._copies(where, to_micros(now), to_micros(now + FARTHEST_TRY), *here, *places, limit)

    def undoable_copies(self) -> list[tuple[RecordedCopy, RecordedDecision]]:
        """Return the copies that wait, are begun or are made, each with the decision about its photo, in order."""
        copies = self._copies(f"WHERE state IN {_UNDOABLE} ORDER BY decision")
        rows = self._rows(
            f"{SELECT_DECISIONS} WHERE decision.id IN"  # noqa: S608 (constants)
            f" (SELECT decision FROM copy WHERE copy.state IN {_UNDOABLE})"
        )
        decisions = {row["number"]: decision_of(row) for row in rows}
        return [(each, decisions[each.decision]) for each in copies if each.decision in decisions]

    def _copies(self, where: str, *values: object) -> list[RecordedCopy]:
        return [_copy_of(row) for row in self._rows(_SELECT + where, values)]


class CopyWriter(CopyReader):
    """The writes about repaired copies; each is one transaction."""

    def ask_for_copy(self, decision: int) -> None:
        """Store that a person asks for a copy of the photo of a decision; one that waits already stays as it is."""
        with self._writing() as db:
            db.execute(_ASK, (decision, to_micros(self._clock.now())))

    def ask_for_rejected(self, policies: Collection[str], after: int) -> int:
        """Ask for copies of the photos that one of the policies rejected, and return the next value of `after`.

        `policies` are digests. Only decisions with a higher number than `after` are looked at. Photos that a person
        rejected or restored are left out, as are clips, and those for which a copy was asked for before.
        """
        (last,) = self._rows(_LAST_ENDED)[0]
        asked = {"policies": json.dumps(sorted(policies)), "after": after, "person": BY_PERSON}
        if found := self._rows(_REJECTED, asked):
            now = to_micros(self._clock.now())
            with self._writing() as db:
                db.executemany(
                    "INSERT OR IGNORE INTO copy (decision, state, asked_at) VALUES (?, 'waiting', ?)",
                    [(each["id"], now) for each in found],
                )
        return int(last)

    def begin_copy(self, decision: int, place: RootedPath, digest: str, repair: str, reason: str) -> bool:
        """Store that the file of a copy, with this digest, is written now; return False if it does not wait any more.

        It is called before the file is written; `reason` is why the copy is kept.
        """
        row = (*place_row(place), digest, repair, escape_surrogates(reason), decision)
        with self._writing() as db:
            begun = db.execute(
                "UPDATE copy SET state = 'begun', root = ?, relative = ?, digest = ?, repair = ?, reason = ?,"
                " not_before = NULL"
                " WHERE decision = ? AND state = 'waiting'",
                row,
            )
            return begun.rowcount > 0

    def end_copy(self, decision: int, state: CopyState, reason: str, repair: str = "") -> bool:
        """Store how a copy that waits or is begun ended, and why; return False if it has ended already.

        `repair` is what was tried; if it is empty, the value that is stored stays.
        """
        return self._end(decision, state, reason, repair, "('waiting', 'begun')")

    def note_copy_removed(self, decision: int, reason: str) -> None:
        """Store that a copy was removed, or will not be made, because a person took it back."""
        self._end(decision, CopyState.REMOVED, reason, "", _UNDOABLE)

    def delay_copy(self, decision: int, reason: str, until: datetime | None = None, *, counts: bool = True) -> None:
        """Store that a copy that waits or is begun waits for another try, not before a moment (None: at once).

        The try is counted unless `counts` is false.
        """
        with self._writing() as db:
            db.execute(
                "UPDATE copy SET state = 'waiting', root = NULL, relative = NULL, digest = '', repair = '', reason = ?,"
                " tries = tries + ?, not_before = ? WHERE decision = ? AND state IN ('waiting', 'begun')",
                (escape_surrogates(reason), int(counts), None if until is None else to_micros(until), decision),
            )

    def _end(self, decision: int, state: CopyState, reason: str, repair: str, before: str) -> bool:
        with self._writing() as db:
            ended = db.execute(
                "UPDATE copy SET state = ?, reason = ?, ended_at = ?, not_before = NULL,"  # noqa: S608 (a constant)
                f" repair = coalesce(nullif(?, ''), repair) WHERE decision = ? AND state IN {before}",
                (state, escape_surrogates(reason), to_micros(self._clock.now()), repair, decision),
            )
            if ended.rowcount and state in {CopyState.NONE, CopyState.FAILED}:  # a file at that path is not culld's
                db.execute("UPDATE copy SET root = NULL, relative = NULL, digest = '' WHERE decision = ?", (decision,))
            return ended.rowcount > 0


def _copy_of(row: sqlite3.Row) -> RecordedCopy:
    return RecordedCopy(
        decision=row["decision"],
        state=CopyState(row["state"]),
        place=None if row["root"] is None else place_of(row["root"], row["relative"]),
        digest=row["digest"],
        repair=row["repair"],
        reason=row["reason"],
        asked_at=moment_of(row["asked_at"]),
        ended_at=None if row["ended_at"] is None else moment_of(row["ended_at"]),
        by_person=bool(row["by_person"]),
        tries=row["tries"],
    )
