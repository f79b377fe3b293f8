"""Photos that a person dragged out of the quarantine, found by their content."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from culld.disk.anchor import Ground, survey
from culld.disk.beneath import exists
from culld.errors import PhotoError
from culld.records import printable

if TYPE_CHECKING:
    from culld.journal.store import SqliteJournal
    from culld.records import Photo, Place

log = logging.getLogger(__name__)


def is_restored(journal: SqliteJournal, photo: Photo) -> bool:
    """Whether a person brought this content back, with `culld restore` or by hand; the latter is noted now.

    A photo whose twin still lies in quarantine was not brought back, but imported a second time.
    """
    if journal.is_restored(photo.digest):
        return True
    back = [reject for reject in journal.quarantined(photo.digest) if is_gone(reject.now)]
    for reject in back:
        journal.note_restored(reject.plan, reject.digests, photo.place, None)
        log.info("%s was brought back from quarantine by hand; it stays", printable(photo.place.path))
    return bool(back)


def is_gone(place: Place) -> bool:
    """Whether a photo is no longer in quarantine; False while the quarantine itself is away, with its anchor."""
    ground = survey(place.root)
    if not (isinstance(ground, Ground) and ground.anchored):
        return False
    try:
        return not exists(place)
    except PhotoError:  # its folder went with it, or nobody may look
        return survey(place.path.parent) is None
