"""Records whose photo the user deleted from quarantine: noted in the journal as feedback, and removed.

Only files that culld made are removed: the record, and a sidecar that culld created and that no other program has
written to, both recognised by their digests. A sidecar that came with the photo stays.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from culld.errors import PhotoError
from culld.files.locks import folder_lock
from culld.files.open_beneath import exists
from culld.files.remove_own import remove_empty_folders, remove_record, remove_sidecar
from culld.quarantine.origin import already_back_at
from culld.quarantine.record import BadRecordError, read_record, record_places
from culld.quarantine.untag import digest_at, way_back
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from culld.ports import Restorations
    from culld.quarantine.record import RecordFile
    from culld.records import RootedPath

log = logging.getLogger(__name__)

_SIDECAR_SUFFIX = ".xmp"


def put_away(found: RecordFile, journal: Restorations) -> str:
    """Note in the journal that the user deleted the photo of a record, and remove the record; return a note about it.

    The caller has checked that the photo is neither in quarantine nor at its origin. The record is removed last, so
    that an interrupted call can be repeated. Raises PhotoError if a file cannot be removed.
    """
    journal.note_deleted(found.record.plan)
    kept = []
    for member in found.record.members[:-1]:
        place = found.place.beside(member.name)
        digest = digest_at(place)
        if digest is None:
            continue
        if member.name.lower().endswith(_SIDECAR_SUFFIX) and _is_own(found, member.origin, digest, journal):
            remove_sidecar(place, digest)
        else:
            kept.append(display_path(Path(member.name)))
    remove_record(found.place, found.digest)
    remove_empty_folders(found.place.root, found.place.relative.parent)
    note = "its photo is no longer in quarantine; its record was removed"
    return note + (f"; not culld's own, so kept: {', '.join(kept)}" if kept else "")


def _is_own(found: RecordFile, origin: Path, digest: str, journal: Restorations) -> bool:
    """Whether a sidecar holds only what culld wrote: undoing its rewrites leaves no file."""
    rewrites = [
        rewrite
        for tagged in journal.tagged_by(found.record.plan)
        for rewrite in reversed(tagged.rewrites)
        if rewrite.place.relative == origin
    ]
    way = way_back(digest, rewrites)
    return bool(way.undo) and not way.changed and way.digest is None


def put_away_orphans(
    quarantine: Path, roots: Collection[Path], journal: Restorations, beat: Callable[[], None] = lambda: None
) -> int:
    """Remove every record whose photo the user deleted, and return how many; a record that cannot be removed is logged.

    Only photos that came from one of `roots` are considered, and only plans that the journal has as carried out.
    `beat` is called before each record.
    """
    count = 0
    for place in sorted(record_places(quarantine), key=lambda place: place.relative):
        beat()
        try:
            count += _put_away_orphan(place, roots, journal)
        except (BadRecordError, PhotoError) as error:
            log.warning("%s stays in quarantine: %s", display_path(place.path), error)
    return count


def _put_away_orphan(place: RootedPath, roots: Collection[Path], journal: Restorations) -> bool:
    with folder_lock(place.root):
        found = read_record(place)
        if exists(found.photo) or found.record.root not in roots:
            return False
        reject = journal.reject(found.record.plan)
        if reject is None or already_back_at(found, reject) is not None:
            return False
        log.info("%s: %s", display_path(found.photo.path), put_away(found, journal))
        return True
