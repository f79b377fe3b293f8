"""Old photos in quarantine go to the trash of the desktop, if the configuration says after how long."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.errors import PhotoError
from culld.files.locks import folder_lock
from culld.files.open_beneath import exists
from culld.quarantine.record import BadRecordError
from culld.quarantine.record_files import read_record, record_places
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from culld.quarantine.record_files import RecordFile

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ExpiredToTrash:
    """Puts photos into the trash by `to_trash`; `note_trashed` is told the plan of each."""

    quarantine: Path
    to_trash: Callable[[Path], None]
    note_trashed: Callable[[str], None]

    def expire(self, before: datetime, is_old: Callable[[str], bool]) -> int:
        """Trash what was taken before a moment, by its record, and by a plan that `is_old`; returns how many photos.

        The record tells what the wall clock said; `is_old` answers by the order of plans. What fails stays, and is
        told.
        """
        count = 0
        for place in sorted(record_places(self.quarantine), key=lambda place: place.relative):
            try:
                with folder_lock(self.quarantine):
                    found = read_record(place)
                    if found.record.made_at < before and is_old(found.record.plan) and exists(found.photo):
                        self._trash(found)
                        count += 1
            except (BadRecordError, PhotoError) as error:
                log.warning("%s stays in quarantine: %s", display_path(place.path), error)
        return count

    def _trash(self, found: RecordFile) -> None:
        """Sidecars first, the record last: if this is cut short, the photo can still be restored."""
        for member in found.record.members:
            place = found.place.beside(member.name)
            if exists(place):
                self.to_trash(place.path)
        self.note_trashed(found.record.plan)
        self.to_trash(found.place.path)
        log.info("%s was put into the trash (quarantine.trash_after)", display_path(found.photo.path))
