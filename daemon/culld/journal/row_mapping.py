"""Records from rows and rows from records; a row of `decision` has one list of columns and one mapper."""

from __future__ import annotations

import json
import math
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from culld.journal.clip_json import clip_in
from culld.journal.regions_json import regions_in
from culld.journal.stack_json import facts_in, focus_in, full_size_in, parsed, series_in, siblings_in, stack_in, to_json
from culld.records import (
    Assessment,
    FileStat,
    Photo,
    PlanState,
    RecordedDecision,
    RootedPath,
    Scores,
    Unreadable,
    Verdict,
)

if TYPE_CHECKING:
    import sqlite3

SELECT_DECISIONS: Final = """
SELECT plan, made_at, decision.root, decision.relative, decision.digest, blur, under, over, verdict, decision.reason,
    keywords, model, policy, facts, rule, unwanted, series, decision.state, now_root, now_relative, now_digest, note,
    fault, restored_at, released, decision.id AS number, device, inode, size, mtime_ns, ctime_ns,
    EXISTS (SELECT 1 FROM restored WHERE restored.digest IN (decision.digest, now_digest)) AS content_restored
FROM decision LEFT JOIN item ON item.root = now_root AND item.relative = now_relative AND item.digest = now_digest
"""
"""The rows that `decision_of` takes; the stamp is that of the file where the photo is now."""

INSERT_DECISION: Final = """
INSERT INTO decision (plan, made_at, root, relative, digest, blur, under, over, verdict, reason, keywords, model,
    policy, facts, taken_at, rule, unwanted, series, state, closed_at, now_root, now_relative, now_digest)
VALUES (:plan, :made_at, :root, :relative, :digest, :blur, :under, :over, :verdict, :reason, :keywords, :model,
    :policy, :facts, :taken_at, :rule, :unwanted, :series, :state, :closed_at, :now_root, :now_relative, :now_digest)
"""
"""Its values are those that `decision_row` returns."""

NO_STAMP: Final = FileStat(0, 0, 0, 0, 0)
"""The stamp of a photo that is read from the journal."""

_HALF = 1 << 63
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def escape_surrogates(text: str) -> str:
    """Return a text that SQLite accepts: surrogates (such as in a file name in an error) are escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def to_micros(moment: datetime) -> int:
    """Return whole microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(value: int) -> datetime:
    """Return the moment, aware, in UTC; outside of the calendar its first or last moment."""
    try:
        return _EPOCH + timedelta(microseconds=value)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if value < 0 else datetime.max.replace(tzinfo=UTC)


def place_row(place: RootedPath) -> tuple[bytes, bytes]:
    """Return the bytes of root and relative path."""
    return os.fsencode(place.root), os.fsencode(place.relative)


def place_of(root: bytes, relative: bytes) -> RootedPath:
    """Return the path of a row."""
    return RootedPath(Path(os.fsdecode(root)), Path(os.fsdecode(relative)))


def stamp_row(stamp: FileStat | None) -> tuple[int | None, ...]:
    """Return the five columns of a stamp; NULL if there is none."""
    if stamp is None:
        return (None,) * 5
    row = (stamp.device, stamp.inode, stamp.size, stamp.mtime_ns, stamp.ctime_ns)
    return row if max(row) < _HALF and min(row) >= -_HALF else tuple(map(to_int64, row))


def to_int64(value: int) -> int:
    """Return a number below 2**64, such as an inode number, as the signed integer that SQLite can store."""
    return (value + _HALF) % (2 * _HALF) - _HALF


def from_int64(value: int) -> int:
    """Return the device or inode number that `to_int64` made storable."""
    return value % (2 * _HALF)


def scores_of(blur: float | None, under: float | None, over: float | None, focus: float | None = None) -> Scores | None:
    """Return the scores of a row, None if there are none; SQLite stores NaN, from a broken network, as NULL."""
    if blur is None and under is None and over is None:
        return None
    known_blur, known_under, known_over = (math.nan if each is None else each for each in (blur, under, over))
    return Scores(known_blur, known_under, known_over, focus)


def decision_row(decision: RecordedDecision) -> dict[str, Any]:
    """Return the columns of a new row; those about the end of the plan are NULL until it has ended."""
    (root, relative), (now_root, now_relative) = place_row(decision.place), place_row(decision.now)
    scores, taken, ended = decision.scores, decision.photo.camera.taken_at, decision.ended
    return {
        "plan": decision.plan,
        "made_at": to_micros(decision.made_at),
        "root": root,
        "relative": relative,
        "digest": decision.digest,
        "blur": scores and scores.blur,
        "under": scores and scores.under,
        "over": scores and scores.over,
        "verdict": decision.verdict.value,
        "reason": escape_surrogates(decision.reason),
        "keywords": json.dumps(decision.keywords),
        "model": escape_surrogates(decision.model),
        "policy": escape_surrogates(decision.policy),
        "facts": to_json(decision.stack),
        "taken_at": None if taken is None else to_micros(taken),
        "rule": escape_surrogates(decision.rule),
        "unwanted": int(decision.would_reject),
        "series": decision.series_id,
        "state": decision.state.value,
        "closed_at": to_micros(decision.made_at) if ended else None,
        "now_root": now_root if ended else None,
        "now_relative": now_relative if ended else None,
        "now_digest": decision.now_digest if ended else None,
    }


def decision_of(row: sqlite3.Row) -> RecordedDecision:
    """Return the decision of a row of SELECT_DECISIONS."""
    known = parsed(row["facts"])
    place = place_of(row["root"], row["relative"])
    return RecordedDecision(
        plan=row["plan"],
        made_at=moment_of(row["made_at"]),
        stack=stack_in(known, _assessment(row, known, place)),
        verdict=Verdict(row["verdict"]),
        reason=row["reason"],
        keywords=tuple(json.loads(row["keywords"])),
        policy=row["policy"],
        rule=row["rule"],
        would_reject=bool(row["unwanted"]),
        state=PlanState(row["state"]),
        now=place if row["now_root"] is None else place_of(row["now_root"], row["now_relative"]),
        now_digest=row["digest"] if row["now_digest"] is None else row["now_digest"],
        stamp=_stamp(row),
        note=row["note"],
        fault=row["fault"],
        restored_at=None if row["restored_at"] is None else moment_of(row["restored_at"]),
        content_restored=bool(row["content_restored"]),
        released=row["released"],
        siblings=siblings_in(known, place),
        series=series_in(known, place),
        series_id=row["series"],
    )


def _assessment(row: sqlite3.Row, known: dict[str, Any], place: RootedPath) -> Assessment:
    format_, camera, dhash, subject = facts_in(known)
    scores = scores_of(row["blur"], row["under"], row["over"], focus_in(known))
    result = Unreadable(row["reason"]) if scores is None or row["verdict"] == Verdict.UNREADABLE else scores
    photo = Photo(place, NO_STAMP, row["digest"], format_, camera)
    return Assessment(
        photo,
        result,
        row["model"],
        dhash,
        subject=subject,
        full_size=full_size_in(known),
        clip=clip_in(known.get("clip")),
        is_live_movie=known.get("live_movie") is True,
        regions=regions_in(known.get("regions")),
    )


def _stamp(row: sqlite3.Row) -> FileStat | None:
    if row["device"] is None:
        return None
    device, inode = from_int64(row["device"]), from_int64(row["inode"])
    return FileStat(device, inode, row["size"], row["mtime_ns"], row["ctime_ns"])
