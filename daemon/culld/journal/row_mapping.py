"""Between records and rows."""

from __future__ import annotations

import json
import math
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from culld.journal.stack_json import to_json
from culld.journal.states import PlanState
from culld.records import Edit, FileStat, Move, Rewrite, RootedPath, Scores, TaggedFiles

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping

    from culld.records import Plan

_HALF = 1 << 63
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def escape_surrogates(text: str) -> str:
    """The text as SQLite takes it: what is no Unicode (a file name in an error, say) is escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def to_micros(moment: datetime) -> int:
    """Whole microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(value: int) -> datetime:
    """The moment, aware, in UTC; one that the calendar does not hold is its first or last."""
    try:
        return _EPOCH + timedelta(microseconds=value)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if value < 0 else datetime.max.replace(tzinfo=UTC)


def place_row(place: RootedPath) -> tuple[bytes, bytes]:
    """The bytes of root and relative path."""
    return os.fsencode(place.root), os.fsencode(place.relative)


def place_of(root: bytes, relative: bytes) -> RootedPath:
    """The place again."""
    return RootedPath(Path(os.fsdecode(root)), Path(os.fsdecode(relative)))


def stamp_row(stamp: FileStat | None) -> tuple[int | None, ...]:
    """The five numbers, or five times nothing."""
    if stamp is None:
        return (None,) * 5
    row = (stamp.device, stamp.inode, stamp.size, stamp.mtime_ns, stamp.ctime_ns)
    return row if max(row) < _HALF and min(row) >= -_HALF else tuple(map(to_int64, row))


def to_int64(value: int) -> int:
    """The value as SQLite can hold it: some file systems number inodes up to 2**64."""
    return (value + _HALF) % (2 * _HALF) - _HALF


def from_int64(value: int) -> int:
    """The device or inode number that `signed` stored."""
    return value % (2 * _HALF)


def scores_row(scores: Scores | None) -> dict[str, float | None]:
    """The columns of scores, empty if there are none."""
    if scores is None:
        return dict.fromkeys(("blur", "under", "over"))
    return {"blur": scores.blur, "under": scores.under, "over": scores.over}


def scores_of(blur: float | None, under: float | None, over: float | None) -> Scores | None:
    """The scores again, None if there are none; SQLite keeps NaN, which a broken network may give, as NULL."""
    known = (blur, under, over)
    if all(each is None for each in known):
        return None
    return Scores(*(math.nan if each is None else each for each in known))


def decision_row(plan: Plan) -> dict[str, Any]:
    """The columns of `decision` for a plan that is not closed yet."""
    root, relative = place_row(plan.photo.place)
    result = plan.stack.primary.result
    taken = plan.photo.camera.taken_at
    return {
        "plan": plan.id,
        "made_at": to_micros(plan.made_at),
        "root": root,
        "relative": relative,
        "digest": plan.photo.digest,
        **scores_row(result if isinstance(result, Scores) else None),
        "verdict": plan.verdict.value,
        "reason": escape_surrogates(plan.reason),
        "keywords": json.dumps(plan.keywords),
        "model": escape_surrogates(plan.stack.primary.model),
        "policy": plan.policy,
        "facts": to_json(plan.stack),
        "taken_at": None if taken is None else to_micros(taken),
        "rule": escape_surrogates(plan.rule),
        "unwanted": int(plan.would_reject),
        "state": PlanState.OPEN,
    }


def insert_decision(db: sqlite3.Connection, row: Mapping[str, Any]) -> int | None:
    """Write a row of `decision`, given by its columns; gives its number."""
    columns = ", ".join(row)
    values = ", ".join(f":{column}" for column in row)
    return db.execute(f"INSERT INTO decision ({columns}) VALUES ({values})", row).lastrowid  # noqa: S608 (our columns)


def insert_plan(db: sqlite3.Connection, plan: Plan) -> None:
    """Write a plan with all that it will change."""
    number = insert_decision(db, decision_row(plan))
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


def rewrites_of(db: sqlite3.Connection, decision: int) -> tuple[Rewrite, ...]:
    """The rewrites of a decision, in order."""
    found = db.execute(
        "SELECT step, root, relative, before, after FROM rewrite WHERE decision = ? ORDER BY step", (decision,)
    ).fetchall()
    return tuple(
        Rewrite(place_of(root, relative), before, after, tuple(_edits(db, decision, step)))
        for step, root, relative, before, after in found
    )


def _edits(db: sqlite3.Connection, decision: int, step: int) -> Iterable[Edit]:
    rows = db.execute(
        "SELECT offset, removed, inserted FROM edit WHERE decision = ? AND step = ? ORDER BY number", (decision, step)
    )
    return [Edit(*row) for row in rows]


def moves_of(db: sqlite3.Connection, decision: int) -> tuple[Move, ...]:
    """The moves of a decision, in order."""
    rows = db.execute(
        "SELECT source_root, source_relative, target_root, target_relative, digest FROM move"
        " WHERE decision = ? ORDER BY step",
        (decision,),
    )
    return tuple(Move(place_of(*row[0:2]), place_of(*row[2:4]), row[4]) for row in rows)


_TAGGED = (
    "SELECT id, plan, made_at, root, relative, now_root, now_relative, digest FROM decision"
    " WHERE {} AND id IN (SELECT decision FROM rewrite) ORDER BY id DESC"
)


_BEFORE = (
    "now_root IS NOT NULL AND (root, relative) = (SELECT root, relative FROM decision WHERE plan = ?1)"
    " AND id <= (SELECT id FROM decision WHERE plan = ?1)"
)


def tagged(db: sqlite3.Connection, place: RootedPath | None = None) -> Iterator[TaggedFiles]:
    """Every decision that is closed and wrote to files, the newest first; at one place, if one is given."""
    if place is None:
        rows = db.execute(_TAGGED.format("now_root IS NOT NULL")).fetchall()
    else:
        rows = db.execute(_TAGGED.format("now_root = ? AND now_relative = ?"), place_row(place)).fetchall()
    yield from _tagged(db, rows)


def tagged_by(db: sqlite3.Connection, plan: str) -> list[TaggedFiles]:
    """The decision of a plan and the earlier ones about the same path that wrote to files, the newest first."""
    return list(_tagged(db, db.execute(_TAGGED.format(_BEFORE), (plan,)).fetchall()))


def tagged_places(db: sqlite3.Connection) -> list[RootedPath]:
    """Where the photos are that culld wrote to, those of the newest decisions first."""
    rows = db.execute(
        "SELECT now_root, now_relative FROM decision WHERE now_root IS NOT NULL"
        " AND id IN (SELECT decision FROM rewrite) GROUP BY now_root, now_relative ORDER BY max(id) DESC"
    )
    return [place_of(*row) for row in rows]


def _tagged(db: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> Iterator[TaggedFiles]:
    for number, plan, at, root, relative, now_root, now_relative, digest in rows:
        photo, now = place_of(root, relative), place_of(now_root, now_relative)
        yield TaggedFiles(plan, moment_of(at), photo, now, digest, rewrites_of(db, number))
