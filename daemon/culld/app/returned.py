"""Photos that a person dragged out of the quarantine, found by their content."""

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
    """Whether a person brought this content back, with `culld restore` or by hand, or may have; the latter are noted.

    A photo whose twin still lies in quarantine was not brought back, but imported a second time. One that was deleted
    from quarantine and copied here again was not brought back either: that is noted as well, and it is judged as new.
    """
    if journal.is_restored(photo.digest):
        return True
    gone = [reject for reject in journal.quarantined(photo.digest) if is_gone(reject.now)]
    unanswered = [reject for reject in gone if not reject.released]
    found = [_noted(journal, reject, photo) for reject in unanswered or gone[-1:]]
    return any(each is not Reappearance.COPIED_AGAIN for each in found)


def _noted(journal: SqliteJournal, reject: RecordedDecision, photo: Photo) -> Reappearance:
    """Note how the content of a reject came back."""
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
    """Whether a photo is no longer in quarantine; False while the quarantine itself is away, with its anchor."""
    state = inspect(place.root)
    if not (isinstance(state, FolderState) and state.anchored):
        return False
    try:
        return not exists(place)
    except PhotoError:  # its folder is gone, too, or cannot be looked at
        return inspect(place.path.parent) is None
