"""Finding, reading and removing records on the disk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.files.open_beneath import exists, names_below, open_regular
from culld.files.remove_own import RECORD_SUFFIX, remove_record
from culld.files.temp_names import name_of_aside
from culld.quarantine.record import MAX_BYTES, BadRecordError, Record, from_bytes
from culld.records import RootedPath

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A record, its path, and the SHA-256 of its bytes in hex."""

    place: RootedPath
    record: Record
    digest: str

    @property
    def photo(self) -> RootedPath:
        """The path of the photo in quarantine."""
        return self.place.beside(self.record.photo.name)


def record_places(quarantine: Path) -> Iterator[RootedPath]:
    """Yield every file below the quarantine whose name is that of a record; links are not followed."""
    for relative in names_below(quarantine):
        if relative.name.endswith(RECORD_SUFFIX) and name_of_aside(relative.name) is None:
            yield RootedPath(quarantine, relative)


def read_record(place: RootedPath) -> RecordFile:
    """Read the record at a path; raises BadRecordError if the file is not a record, PhotoError if it cannot be read."""
    with open_regular(place) as stream:
        data = stream.read(MAX_BYTES + 1)
    record = from_bytes(data)
    if record.photo.name + RECORD_SUFFIX != place.relative.name:
        raise BadRecordError("it is the record of a photo of another name")
    return RecordFile(place, record, hashlib.sha256(data).hexdigest())


def remove_record_of(plan: str, place: RootedPath) -> None:
    """Remove the record at a path if it is that of this plan; any other file is kept."""
    if not exists(place):
        return
    try:
        found = read_record(place)
    except BadRecordError:
        return  # culld did not write it
    if found.record.plan == plan:
        remove_record(place, found.digest)
