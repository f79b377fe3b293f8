"""Past decisions with all that they were made from, so that another policy can decide the same cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culld.journal.recalling import COLUMNS, NO_STAMP, assessment_of
from culld.journal.row_mapping import moment_of, place_of, to_micros
from culld.journal.stack_json import from_json
from culld.records import DecisionCase, Verdict

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

    from culld.records import Assessment, RootedPath

_AWAY = "verdict = 'quarantine' AND restored_at IS NULL AND released = ''"
_RESTORED = "EXISTS (SELECT 1 FROM restored WHERE restored.digest IN (decision.digest, decision.now_digest))"


_CASE = f"{_AWAY}, plan, made_at, rule, policy, now_root, now_relative, now_digest, {_RESTORED}, unwanted, {COLUMNS}"
_JUDGED = 10  # where COLUMNS begin


def cases(db: sqlite3.Connection, since: datetime | None) -> list[DecisionCase]:
    """The last decision about each photo that was carried out since a moment, the oldest first.

    Photos in quarantine are photos of their own: another may have come to where they were.
    """
    rows = db.execute(
        f"SELECT root, relative, {_CASE} FROM decision WHERE state = 'done'"  # noqa: S608 (constants)
        " AND (:since IS NULL OR made_at >= :since) ORDER BY id",
        {"since": since and to_micros(since)},
    )
    last = {(place_of(*row[:2]), row[3] if row[2] else ""): row[2:] for row in rows}
    leads = {key: assessment_of(key[0], NO_STAMP, row[_JUDGED:]) for key, row in last.items()}
    judged = {place: lead for (place, _), lead in leads.items()}
    return [_case(leads[key], judged, row) for key, row in last.items()]


def case(db: sqlite3.Connection, plan: str) -> DecisionCase | None:
    """One decision, by its plan, without the partners of its photo; None if it was not carried out."""
    row = db.execute(
        f"SELECT root, relative, {_CASE} FROM decision WHERE plan = ? AND now_root IS NOT NULL",  # noqa: S608
        (plan,),
    ).fetchone()
    if row is None:
        return None
    return _case(assessment_of(place_of(*row[:2]), NO_STAMP, row[2 + _JUDGED :]), {}, row[2:])


def _case(lead: Assessment, judged: Mapping[RootedPath, Assessment], row: tuple[Any, ...]) -> DecisionCase:
    away, plan, at, rule, policy, now_root, now_relative, now_digest, restored, unwanted = row[:_JUDGED]
    _, verdict, reason, *_, facts = row[_JUDGED:]
    return DecisionCase(
        plan=plan,
        made_at=moment_of(at),
        verdict=Verdict(verdict),
        rule=rule,
        reason=reason,
        policy=policy,
        now=place_of(now_root, now_relative),
        digest=now_digest,
        away=bool(away),
        restored=bool(restored),
        unwanted=bool(unwanted),
        stack=from_json(facts, lead, judged),
    )
