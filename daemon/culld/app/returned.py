"""Photos that the user moved out of the quarantine by hand, found by their digest."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from culld.errors import PhotoError
from culld.files.mount_guard import FolderState, inspect
from culld.files.open_beneath import exists
from culld.records import display_path
from culld.stages.decide.feedback import Reappearance, reappearance

if TYPE_CHECKING:
    from culld.journal.store import SqliteJournal
    from culld.records import Photo, RecordedDecision, RootedPath

log = logging.getLogger(__name__)


def returned_by_hand(journal: SqliteJournal, photo: Photo) -> bool:
    """Return whether the user moved this content back, or may have, with `culld restore` or by hand.

    A move by hand is noted in the journal. If the photo is still in quarantine, the content was imported a second time
    and counts as new. If it was deleted from quarantine and copied again, it counts as new as well, and that is noted.
    """
    if journal.is_restored(photo.digest):
        return True
    gone = [reject for reject in journal.quarantined(photo.digest) if is_gone(reject.now)]
    unanswered = [reject for reject in gone if not reject.released]
    found = [_noted(journal, reject, photo) for reject in unanswered or gone[-1:]]
    return any(each is not Reappearance.COPIED_AGAIN for each in found)


def _noted(journal: SqliteJournal, reject: RecordedDecision, photo: Photo) -> Reappearance:
    """Note in the journal how the content of a reject came back, log it, and return it."""
    path = display_path(photo.place.path)
    found = reappearance(reject, photo)
    if found is Reappearance.BROUGHT_BACK:
        journal.note_restored(reject.plan, reject.digests, photo.place, None)
        log.info("%s was brought back from quarantine by hand; it stays", path)
    elif found is Reappearance.COPIED_AGAIN:
        journal.note_deleted(reject.plan)
        log.info("%s was deleted from quarantine and copied here again; it is judged as a new photo", path)
    else:
        journal.note_unclear(reject.plan, reject.digests)
        log.info("%s was in quarantine; whether it was brought back or copied again is unclear, so it stays", path)
    return found


def is_gone(place: RootedPath) -> bool:
    """Return whether a photo is no longer in quarantine; False while the quarantine itself is offline."""
    state = inspect(place.root)
    if not (isinstance(state, FolderState) and state.anchored):
        return False
    try:
        return not exists(place)
    except PhotoError:  # its folder is gone as well, or cannot be read
        return inspect(place.path.parent) is None


def is_there(place: RootedPath) -> bool:
    """Return whether a file exists; False while its folder is gone or cannot be read, as in an offline quarantine."""
    try:
        return exists(place)
    except PhotoError:
        return False
