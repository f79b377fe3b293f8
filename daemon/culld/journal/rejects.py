"""Photos that were moved to quarantine, and what is known of them since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from culld.journal.row_mapping import from_int64, moment_of, place_of, to_micros
from culld.journal.stack_json import facts_in
from culld.records import FileStat, QuarantinedPhoto, Scores

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

_SELECT: Final = (
    "SELECT plan, made_at, decision.root, decision.relative, now_root, now_relative, decision.digest, now_digest,"
    " blur, under, over, facts, rule, restored_at IS NOT NULL, released, device, inode, size, mtime_ns, ctime_ns"
    " FROM decision LEFT JOIN item ON item.root = now_root AND item.relative = now_relative"
    " AND item.digest = now_digest WHERE verdict = 'quarantine' AND decision.state = 'done'"
)


def rejects(db: sqlite3.Connection, since: datetime | None) -> list[QuarantinedPhoto]:
    """Those moved since a moment, the oldest first."""
    rows = db.execute(f"{_SELECT} AND (?1 IS NULL OR made_at >= ?1) ORDER BY id", (since and to_micros(since),))
    return [_reject(row) for row in rows]


def quarantined(db: sqlite3.Connection, digest: str) -> list[QuarantinedPhoto]:
    """Those with these bytes that no person brought back yet, the oldest first; also those that were deleted."""
    rows = db.execute(
        f"{_SELECT} AND restored_at IS NULL AND released IN ('', 'deleted')"
        " AND (decision.digest = ?1 OR now_digest = ?1) ORDER BY id",
        (digest,),
    )
    return [_reject(row) for row in rows]


def reject(db: sqlite3.Connection, plan: str) -> QuarantinedPhoto | None:
    """The one that a plan moved; None if the plan did not end so, or is not known."""
    row = db.execute(f"{_SELECT} AND plan = ?", (plan,)).fetchone()
    return None if row is None else _reject(row)


def _reject(row: tuple[Any, ...]) -> QuarantinedPhoto:
    plan, at, root, relative, now_root, now_relative, digest, now_digest, *rest = row
    blur, under, over, facts, rule, restored, released, *stamp = rest
    return QuarantinedPhoto(
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
        moved=now_digest,
        stamp=None if stamp[0] is None else FileStat(*map(from_int64, stamp[:2]), *stamp[2:]),
    )
