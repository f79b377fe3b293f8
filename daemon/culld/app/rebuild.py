"""The journal made again out of the records that lie beside the photos in quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.errors import PhotoError
from culld.journal.adoption import ImportedRecord
from culld.quarantine.record import BadRecordError
from culld.quarantine.record_files import read_record, record_places
from culld.records import RootedPath, display_path

if TYPE_CHECKING:
    from pathlib import Path

    from culld.journal.store import SqliteJournal
    from culld.quarantine.record_files import RecordFile


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many photos are in quarantine, how many of them the journal did not know, and what could not be read."""

    photos: int
    adopted: int
    problems: tuple[str, ...]


def rebuild(quarantine: Path, journal: SqliteJournal) -> Rebuilt:
    """Take over every photo in quarantine that the journal does not know; nothing that it knows is changed."""
    found: list[ImportedRecord] = []
    problems: list[str] = []
    for place in sorted(record_places(quarantine), key=lambda place: place.relative):
        try:
            found.append(_adopted(read_record(place)))
        except (BadRecordError, PhotoError) as error:
            problems.append(f"{display_path(place.path)}: {error}")
    return Rebuilt(len(found), journal.import_record(found), tuple(problems))


def _adopted(found: RecordFile) -> ImportedRecord:
    record = found.record
    return ImportedRecord(
        plan=record.plan,
        made_at=record.made_at,
        origin=RootedPath(record.root, record.photo.origin),
        now=found.photo,
        judged=record.judged,
        digest=record.photo.digest,
        scores=record.scores,
        reason=record.reason,
        keywords=record.keywords,
        model=record.model,
        policy=record.policy,
    )
