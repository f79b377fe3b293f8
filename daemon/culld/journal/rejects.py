"""Photos that were moved to quarantine, and what is known of them since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from culld.journal.dossier import facts_in
from culld.journal.rows import micros, moment_of, place_of
from culld.records import Reject, Scores

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

_SELECT: Final = (
    "SELECT plan, made_at, root, relative, now_root, now_relative, digest, now_digest, blur, under, over, facts, rule,"
    " restored_at IS NOT NULL, released FROM decision WHERE verdict = 'quarantine' AND state = 'done'"
)


def rejects(db: sqlite3.Connection, since: datetime | None) -> list[Reject]:
    """Those moved since a moment, the oldest first."""
    rows = db.execute(f"{_SELECT} AND (?1 IS NULL OR made_at >= ?1) ORDER BY id", (since and micros(since),))
    return [_reject(row) for row in rows]


def quarantined(db: sqlite3.Connection, digest: str) -> list[Reject]:
    """Those with these bytes that nobody brought back yet."""
    rows = db.execute(
        f"{_SELECT} AND restored_at IS NULL AND released = '' AND (digest = ?1 OR now_digest = ?1)", (digest,)
    )
    return [_reject(row) for row in rows]


def _reject(row: tuple[Any, ...]) -> Reject:
    plan, at, root, relative, now_root, now_relative, digest, now_digest, *rest = row
    blur, under, over, facts, rule, restored, released = rest
    return Reject(
        plan=plan,
        made_at=moment_of(at),
        place=place_of(root, relative),
        now=place_of(now_root, now_relative),
        digests=frozenset({digest, now_digest}),
        scores=Scores(blur or 0.0, under or 0.0, over or 0.0),
        camera=facts_in(facts)[1].model,
        rule=rule,
        restored=bool(restored),
        released=released,
    )
