"""What the journal can tell `culld status` and `culld log`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from culld.journal.row_mapping import moment_of, place_of, place_row, scores_of, to_micros
from culld.journal.states import PlanState
from culld.records import Verdict

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from culld.records import RootedPath, Scores


@dataclass(frozen=True, slots=True)
class Decision:
    """A past decision; `now_place` is None until its plan has ended, `state` is how it ended."""

    plan: str
    at: datetime
    place: RootedPath
    digest: str
    verdict: Verdict
    scores: Scores | None
    reason: str
    keywords: tuple[str, ...]
    model: str
    policy: str
    state: PlanState
    now_place: RootedPath | None
    note: str
    fault: str | None
    restored: datetime | None


@dataclass(frozen=True, slots=True)
class OpenFault:
    """A file that culld could not deal with, how often it tried, and when it tries next (None: not by itself)."""

    place: RootedPath
    reason: str
    tries: int
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which decisions are wanted, the newest first."""

    limit: int = 50
    since: datetime | None = None
    verdict: Verdict | None = None


_COLUMNS = (
    "plan, made_at, root, relative, digest, verdict, blur, under, over, reason, keywords, model, policy, state,"
    " now_root, now_relative, note, fault, restored_at"
)


def decisions(db: sqlite3.Connection, wanted: Filter) -> list[Decision]:
    """The decisions that pass the filter, the newest first."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM decision WHERE (:since IS NULL OR made_at >= :since)"  # noqa: S608 (a constant)
        " AND (:verdict IS NULL OR verdict = :verdict) ORDER BY made_at DESC, id DESC LIMIT :limit",
        {
            "since": wanted.since and to_micros(wanted.since),
            "verdict": wanted.verdict,
            "limit": wanted.limit,
        },
    )
    return [_decision(row) for row in rows]


def history_of(db: sqlite3.Connection, place: RootedPath) -> list[Decision]:
    """Every decision about photos that were or are at a place, the oldest first."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM decision WHERE (root = ?1 AND relative = ?2)"  # noqa: S608 (a constant)
        " OR (now_root = ?1 AND now_relative = ?2) ORDER BY id",
        place_row(place),
    )
    return [_decision(row) for row in rows]


def counts(db: sqlite3.Connection, since: datetime | None) -> dict[Verdict, int]:
    """How many decisions were carried out, by verdict; verdicts that did not occur count 0."""
    rows = db.execute(
        "SELECT verdict, count(*) FROM decision WHERE state = 'done' AND (:since IS NULL OR made_at >= :since)"
        " GROUP BY verdict",
        {"since": since and to_micros(since)},
    )
    return dict.fromkeys(Verdict, 0) | {Verdict(verdict): count for verdict, count in rows}


def unwanted(db: sqlite3.Connection, since: datetime | None) -> int:
    """How many photos stayed, by their last decision, only because the mode or the brake held them."""
    (count,) = db.execute(
        "SELECT count(*) FROM decision WHERE unwanted AND verdict != 'quarantine' AND state = 'done'"
        " AND (?1 IS NULL OR made_at >= ?1) AND id = (SELECT max(id) FROM decision AS later"
        " WHERE later.root = decision.root AND later.relative = decision.relative AND later.state = 'done')",
        (since and to_micros(since),),
    ).fetchone()
    return int(count)


def recently_moving(db: sqlite3.Connection, limit: int, since: datetime | None) -> list[tuple[RootedPath, bool]]:
    """Return the readable photos of the last decisions, the oldest first, each with whether it was to be moved."""
    rows = db.execute(
        "SELECT root, relative, verdict = 'quarantine' FROM decision WHERE verdict != 'unreadable'"
        " AND (:since IS NULL OR made_at > :since) ORDER BY id DESC LIMIT :limit",
        {"since": since and to_micros(since), "limit": limit},
    ).fetchall()
    return [(place_of(root, relative), bool(moved)) for root, relative, moved in reversed(rows)]


def open_faults(db: sqlite3.Connection) -> list[OpenFault]:
    """The files that wait for another try or for a person, the next due first."""
    rows = db.execute(
        "SELECT root, relative, reason, tries, not_before FROM item WHERE state IN ('fault', 'open')"
        " ORDER BY not_before IS NULL, not_before"
    )
    return [
        OpenFault(place_of(root, relative), reason, tries, None if due is None else moment_of(due))
        for root, relative, reason, tries, due in rows
    ]


def status(db: sqlite3.Connection) -> dict[str, tuple[str, datetime]]:
    """What the daemon last said of itself, by key, with when."""
    rows = db.execute("SELECT key, value, at FROM note")
    return {key: (value, moment_of(at)) for key, value, at in rows}


def _decision(row: tuple[Any, ...]) -> Decision:
    (plan, at, root, relative, digest, verdict, blur, under, over, reason, keywords, model, policy, state) = row[:14]
    now_root, now_relative, note, fault, restored_at = row[14:]
    return Decision(
        plan=plan,
        at=moment_of(at),
        place=place_of(root, relative),
        digest=digest,
        verdict=Verdict(verdict),
        scores=scores_of(blur, under, over),
        reason=reason,
        keywords=tuple(json.loads(keywords)),
        model=model,
        policy=policy,
        state=PlanState(state),
        now_place=None if now_root is None else place_of(now_root, now_relative),
        note=note,
        fault=fault,
        restored=None if restored_at is None else moment_of(restored_at),
    )
