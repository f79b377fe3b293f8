"""Plans as rows: inserted as open decisions with their rewrites and moves, and closed with their outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.journal import file_state
from culld.journal.file_state import FileState
from culld.journal.row_mapping import (
    INSERT_DECISION,
    decision_row,
    escape_surrogates,
    place_of,
    place_row,
    to_micros,
)
from culld.journal.stack_json import NOTHING
from culld.records import BY_PERSON, Edit, Move, PlanState, RecordedDecision, Rewrite, SeriesMembership
from culld.retry import RETRY_AFTER, RetryPolicy

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime

    from culld.records import FileStat, Outcome, Plan, RootedPath, Series

_SERIES_OF_MEMBER: Final = """
SELECT series, min(id) FROM decision
WHERE root = ? AND relative = ? AND ? IN (digest, now_digest) AND series != '' GROUP BY series
"""
_JOIN_MEMBER: Final = """
UPDATE decision SET series = ?4 WHERE root = ?1 AND relative = ?2 AND ?3 IN (digest, now_digest) AND series != ?4
"""


_LIFT_RESTORED: Final = """
WITH RECURSIVE version (digest) AS (
    SELECT digest FROM decision WHERE plan = ?1 UNION SELECT now_digest FROM decision WHERE plan = ?1
    UNION SELECT decision.digest FROM version JOIN decision ON now_digest = version.digest
    WHERE decision.state = 'done'
)
DELETE FROM restored WHERE digest IN (SELECT digest FROM version)
"""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a plan ended, and the path and the digest of its photo then."""

    state: PlanState
    now: RootedPath
    digest: str
    note: str = ""
    fault: str | None = None


def insert_plans(db: sqlite3.Connection, plans: Sequence[Plan]) -> None:
    """Write the plans of a batch as decisions that have not ended, with their rewrites and moves."""
    ids: dict[SeriesMembership, str] = {}
    for plan in plans:
        if plan.stack.series is None:
            _insert_plan(db, plan, "")
            continue
        series = SeriesMembership.of(plan.stack.series)
        if series not in ids:
            ids[series] = _join_series(db, plan.stack.series, plan.id)
        _insert_plan(db, plan, ids[series])


def _insert_plan(db: sqlite3.Connection, plan: Plan, series_id: str) -> None:
    number = db.execute(INSERT_DECISION, decision_row(RecordedDecision.of(plan, series_id))).lastrowid
    _protect_restored(db, plan)
    for step, rewrite in enumerate(plan.rewrites):
        db.execute(
            "INSERT INTO rewrite VALUES (?, ?, ?, ?, ?, ?)",
            (number, step, *place_row(rewrite.place), rewrite.before, rewrite.after),
        )
        db.executemany(
            "INSERT INTO edit VALUES (?, ?, ?, ?, ?, ?)",
            [(number, step, n, edit.offset, edit.removed, edit.inserted) for n, edit in enumerate(rewrite.edits)],
        )
    db.executemany(
        "INSERT INTO move VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (number, step, *place_row(move.source), *place_row(move.target), move.digest)
            for step, move in enumerate(plan.moves)
        ],
    )


def _protect_restored(db: sqlite3.Connection, plan: Plan) -> None:
    """Store that the content which a plan makes of a photo that the user restored is restored as well."""
    made = [rewrite.after for rewrite in plan.rewrites if rewrite.place == plan.photo.place]
    if made and file_state.is_restored(db, plan.photo.digest):
        moment = to_micros(plan.made_at)
        db.executemany("INSERT OR IGNORE INTO restored VALUES (?, ?)", [(digest, moment) for digest in made])


def _join_series(db: sqlite3.Connection, series: Series, new_id: str) -> str:
    """Give the decisions about all members of a series one id, and return it: the oldest that a member has.

    Photos arrive one by one: the first was decided about as a single photo, and a late one may join two series.
    """
    members = [(*place_row(member.photo.place), member.photo.digest) for member in series.members]
    found: dict[str, int] = {}
    for member in members:
        for series_id, first in db.execute(_SERIES_OF_MEMBER, member).fetchall():
            found[series_id] = min(first, found.get(series_id, first))
    oldest = min(found, key=lambda series_id: found[series_id], default=new_id)
    for other in found.keys() - {oldest}:
        db.execute("UPDATE decision SET series = ? WHERE series != '' AND series = ?", (oldest, other))
    db.executemany(_JOIN_MEMBER, [(*member, oldest) for member in members])
    return oldest


def close_plan(db: sqlite3.Connection, outcome: Outcome, at: datetime) -> None:
    """End the plan of an outcome at a moment; an unfinished one stays open, and its file is skipped."""
    plan, place = outcome.plan, outcome.plan.photo.place
    if outcome.unfinished:
        file_state.park(db, place, outcome.stamp, outcome.fault or "")
        db.execute("UPDATE decision SET fault = ? WHERE plan = ?", (escape_surrogates(outcome.fault or ""), plan.id))
        return
    state = PlanState.DONE if outcome.fault is None else PlanState.FAULT
    if outcome.fault is None:
        settle_photo(db, place, outcome.now, outcome.stamp, outcome.digest)
    elif plan.rule != BY_PERSON:  # a wish that fails leaves the photo as the last decision left it
        retry = RetryPolicy(outcome.fault, outcome.retry_after or RETRY_AFTER)
        file_state.save_failure(db, place, outcome.stamp or plan.photo.stamp, retry, at)
    end_plan(db, plan.id, Ending(state, outcome.now, outcome.digest, outcome.note, outcome.fault), at)


def end_plan(db: sqlite3.Connection, plan: str, ending: Ending, at: datetime) -> None:
    """Write how a plan ended, and when; a photo that a person rejected is no longer protected as a restored one."""
    db.execute(
        "UPDATE decision SET state = ?, now_root = ?, now_relative = ?, now_digest = ?, note = ?, fault = ?,"
        " closed_at = ? WHERE plan = ?",
        (
            ending.state,
            *place_row(ending.now),
            ending.digest,
            escape_surrogates(ending.note),
            ending.fault and escape_surrogates(ending.fault),
            to_micros(at),
            plan,
        ),
    )
    if ending.state is PlanState.DONE and _is_by_person(db, plan):
        lift_restored(db, plan)


def _is_by_person(db: sqlite3.Connection, plan: str) -> bool:
    return db.execute("SELECT 1 FROM decision WHERE plan = ? AND rule = ?", (plan, BY_PERSON)).fetchone() is not None


def lift_restored(db: sqlite3.Connection, plan: str) -> None:
    """Delete the protection of the content of a plan's photo, and of the contents that culld made it of."""
    db.execute(_LIFT_RESTORED, (plan,))


def settle_photo(
    db: sqlite3.Connection, origin: RootedPath, now: RootedPath, stamp: FileStat | None, digest: str
) -> None:
    """Store the photo as judged at its path `now`; if it was moved, delete the row of its `origin`.

    By its stamp in quarantine, a photo that the user moves out of it by hand is distinguished from a copy.
    """
    file_state.save(db, now, stamp, digest, FileState.DECIDED)
    if now != origin:
        file_state.delete(db, origin)


def import_decision(db: sqlite3.Connection, decision: RecordedDecision) -> bool:
    """Insert a decision without its facts, which are not known; return False if the journal has it already."""
    if db.execute("SELECT 1 FROM decision WHERE plan = ?", (decision.plan,)).fetchone():
        return False
    db.execute(INSERT_DECISION, decision_row(decision) | {"facts": NOTHING})
    return True


def rewrites_of(db: sqlite3.Connection, plan: str) -> tuple[Rewrite, ...]:
    """Return the rewrites of a plan, in order."""
    found = db.execute(
        "SELECT decision, step, root, relative, before, after FROM rewrite"
        " WHERE decision = (SELECT id FROM decision WHERE plan = ?) ORDER BY step",
        (plan,),
    ).fetchall()
    return tuple(
        Rewrite(place_of(root, relative), before, after, _edits(db, decision, step))
        for decision, step, root, relative, before, after in found
    )


def _edits(db: sqlite3.Connection, decision: int, step: int) -> tuple[Edit, ...]:
    rows = db.execute(
        "SELECT offset, removed, inserted FROM edit WHERE decision = ? AND step = ? ORDER BY number", (decision, step)
    )
    return tuple(Edit(*row) for row in rows)


def moves_of(db: sqlite3.Connection, plan: str) -> tuple[Move, ...]:
    """Return the moves of a plan, in order."""
    rows = db.execute(
        "SELECT source_root, source_relative, target_root, target_relative, digest FROM move"
        " WHERE decision = (SELECT id FROM decision WHERE plan = ?) ORDER BY step",
        (plan,),
    )
    return tuple(Move(place_of(*row[0:2]), place_of(*row[2:4]), row[4]) for row in rows)
