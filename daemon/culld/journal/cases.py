"""Past decisions with all that they were made from, so that another policy can decide the same cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culld.journal.dossier import stack_in
from culld.journal.recalling import COLUMNS, NO_STAMP, assessment_of
from culld.journal.rows import micros, moment_of, place_of
from culld.records import Case, Verdict

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

    from culld.records import Assessment, Place

_RESTORED = "EXISTS (SELECT 1 FROM restored WHERE restored.digest IN (decision.digest, decision.now_digest))"


def cases(db: sqlite3.Connection, since: datetime | None) -> list[Case]:
    """The last decision about each photo that was carried out since a moment, the oldest first.

    Photos in quarantine are photos of their own: another may have come to where they were.
    """
    rows = db.execute(
        f"SELECT root, relative, verdict = 'quarantine' AND restored_at IS NULL, plan, made_at, rule, now_root,"  # noqa: S608
        f" now_relative, now_digest, {_RESTORED}, {COLUMNS} FROM decision"
        " WHERE state = 'done' AND (:since IS NULL OR made_at >= :since) ORDER BY id",
        {"since": since and micros(since)},
    )
    last = {(place_of(*row[:2]), row[3] if row[2] else ""): row[2:] for row in rows}
    judged = {place: assessment_of(place, NO_STAMP, row[8:]) for (place, _), row in last.items()}
    return [_case(assessment_of(place, NO_STAMP, row[8:]), judged, row) for (place, _), row in last.items()]


def _case(lead: Assessment, judged: Mapping[Place, Assessment], row: tuple[Any, ...]) -> Case:
    away, plan, at, rule, now_root, now_relative, now_digest, restored, _, verdict, reason = row[:11]
    return Case(
        plan=plan,
        made_at=moment_of(at),
        verdict=Verdict(verdict),
        rule=rule,
        reason=reason,
        now=place_of(now_root, now_relative),
        digest=now_digest,
        away=bool(away),
        restored=bool(restored),
        stack=stack_in(row[-1], lead, judged),
    )
