"""What was said of photos before, as the records that it was said with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from culld.journal.row_mapping import place_of, place_row, scores_of, stamp_row, to_micros
from culld.journal.stack_json import NOTHING, facts_in
from culld.records import Assessment, FileStat, Photo, Unreadable, Verdict

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection
    from datetime import datetime

    from culld.records import RootedPath

_ITEM = (
    "SELECT digest FROM item WHERE root = ? AND relative = ? AND (device, inode, size, mtime_ns, ctime_ns) ="
    " (?, ?, ?, ?, ?) AND state IN ('decided', 'restored')"
)
COLUMNS: Final = "digest, verdict, reason, blur, under, over, model, facts"
NO_STAMP: Final = FileStat(0, 0, 0, 0, 0)
"""For a photo of which only the judgement matters."""


def assessments_at(db: sqlite3.Connection, place: RootedPath, stamp: FileStat) -> Assessment | None:
    """The last judgement of the file at a place, if it still looks like it did then; None if nothing is known."""
    item = db.execute(_ITEM, (*place_row(place), *stamp_row(stamp))).fetchone()
    row = db.execute(
        f"SELECT now_digest, {COLUMNS} FROM decision WHERE root = ? AND relative = ? AND state = 'done'"  # noqa: S608
        " AND facts != ? ORDER BY id DESC LIMIT 1",
        (*place_row(place), NOTHING),
    ).fetchone()
    return None if item is None or row is None else assessment_of(place, stamp, (item[0] or row[0], *row[2:]))


def assessment_of_content(db: sqlite3.Connection, digest: str) -> Assessment | None:
    """The last judgement of these bytes, before or after they were tagged; None if they were never judged."""
    row = db.execute(
        f"SELECT root, relative, {COLUMNS} FROM decision WHERE (digest = ?1 OR now_digest = ?1) AND state = 'done'"  # noqa: S608
        " AND blur IS NOT NULL ORDER BY id DESC LIMIT 1",
        (digest,),
    ).fetchone()
    return None if row is None else assessment_of(place_of(*row[:2]), NO_STAMP, row[2:])


def shots_between(
    db: sqlite3.Connection, root: bytes, first: datetime, last: datetime, but: Collection[str]
) -> list[Assessment]:
    """The photos of a watched folder that were taken between two moments, each as it was judged last.

    They may be anywhere by now: a photo's place is where it was judged, its stamp is empty. Copies of the same bytes,
    by the digests in `but`, are no other shots.
    """
    rows = db.execute(
        f"SELECT relative, now_digest, {COLUMNS} FROM decision WHERE root = ? AND taken_at BETWEEN ? AND ?"  # noqa: S608
        " AND state = 'done' ORDER BY id",
        (root, to_micros(first), to_micros(last)),
    )
    found = {
        relative: assessment_of(place_of(root, relative), NO_STAMP, row)
        for relative, now_digest, *row in rows
        if now_digest not in but and row[0] not in but
    }
    return list(found.values())


def assessment_of(place: RootedPath, stamp: FileStat, row: Any) -> Assessment:
    """A judgement out of a row of COLUMNS."""
    digest, verdict, reason, blur, under, over, model, facts = row
    format_, camera, likeness = facts_in(facts)
    photo = Photo(place, stamp, digest, format_, camera)
    scores = None if verdict == Verdict.UNREADABLE else scores_of(blur, under, over)
    return Assessment(photo, scores or Unreadable(reason), model, likeness)
