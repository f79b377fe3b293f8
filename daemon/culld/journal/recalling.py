"""What was said of a photo that is still where it was judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.journal.dossier import NOTHING, camera_in, format_in
from culld.journal.rows import place_row, stamp_row
from culld.records import Assessment, Photo, Scores, Unreadable, Verdict

if TYPE_CHECKING:
    import sqlite3

    from culld.records import Place, Stamp

_ITEM = (
    "SELECT digest FROM item WHERE root = ? AND relative = ? AND (device, inode, size, mtime_ns, ctime_ns) ="
    " (?, ?, ?, ?, ?) AND state IN ('decided', 'restored')"
)
_DECISION = (
    "SELECT now_digest, verdict, reason, blur, under, over, model, facts FROM decision"
    " WHERE root = ? AND relative = ? AND state = 'done' AND facts != ? ORDER BY id DESC LIMIT 1"
)


def recall(db: sqlite3.Connection, place: Place, stamp: Stamp) -> Assessment | None:
    """The last judgement of the file at a place, if it still looks like it did then; None if nothing is known."""
    item = db.execute(_ITEM, (*place_row(place), *stamp_row(stamp))).fetchone()
    row = db.execute(_DECISION, (*place_row(place), NOTHING)).fetchone()
    if item is None or row is None:
        return None
    digest, verdict, reason, blur, under, over, model, facts = row
    unreadable = verdict == Verdict.UNREADABLE or blur is None
    photo = Photo(place, stamp, item[0] or digest, format_in(facts), camera_in(facts))
    return Assessment(photo, Unreadable(reason) if unreadable else Scores(blur, under, over), model)
