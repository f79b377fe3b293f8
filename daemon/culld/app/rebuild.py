"""The use case `journal rebuild`: import the records beside the photos in quarantine into the journal."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.app.build import is_clip
from culld.app.startup import open_journal_without_replay, require_quarantine
from culld.errors import PhotoError
from culld.files.locks import state_lock
from culld.journal.row_mapping import NO_STAMP
from culld.quarantine.record import BadRecordError, read_record, record_places
from culld.records import (
    BY_PERSON,
    Assessment,
    Format,
    Photo,
    PlanState,
    RecordedDecision,
    RootedPath,
    Stack,
    Unreadable,
    Verdict,
    display_path,
)
from culld.stages.decide.by_person import REASON

if TYPE_CHECKING:
    from pathlib import Path

    from culld.config import Config
    from culld.journal.store import SqliteJournal
    from culld.quarantine.record import RecordFile

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The number of photos in quarantine, how many of them the journal lacked, and a problem per unreadable record."""

    photos: int
    adopted: int
    problems: tuple[str, ...]


def rebuild_journal(config: Config) -> Rebuilt:
    """Rebuild the journal of a configuration; a damaged journal is kept under another name, which is logged.

    Raises SystemFaultError if a daemon runs, or if the journal or the quarantine cannot be used.
    """
    with state_lock(config.state), open_journal_without_replay(config) as journal:
        if journal.set_aside is not None:
            log.warning("the damaged journal is kept as %s", display_path(journal.set_aside))
        require_quarantine(config, journal)
        return rebuild(config.quarantine, journal)


def rebuild(quarantine: Path, journal: SqliteJournal) -> Rebuilt:
    """Import every photo in quarantine that the journal lacks; existing rows of the journal are not changed."""
    found: list[RecordedDecision] = []
    problems: list[str] = []
    for place in sorted(record_places(quarantine), key=lambda place: place.relative):
        try:
            found.append(_decision(read_record(place)))
        except (BadRecordError, PhotoError) as error:
            problems.append(f"{display_path(place.path)}: {error}")
    return Rebuilt(len(found), journal.import_decisions(found), tuple(problems))


def _decision(found: RecordFile) -> RecordedDecision:
    """Return the decision that moved the photo of a record; the record holds its scores, but not its EXIF facts."""
    record, origin = found.record, RootedPath(found.record.root, found.record.photo.origin)
    photo = Photo(origin, NO_STAMP, record.judged, Format.VIDEO if is_clip(origin) else Format.UNKNOWN)
    return RecordedDecision(
        plan=record.plan,
        made_at=record.made_at,
        stack=Stack(Assessment(photo, record.scores or Unreadable(record.reason), record.model)),
        verdict=Verdict.QUARANTINE,
        reason=record.reason,
        keywords=record.keywords,
        policy=record.policy,
        rule=BY_PERSON if record.reason == REASON else "",
        would_reject=False,
        state=PlanState.DONE,
        now=found.photo,
        now_digest=record.photo.digest,
    )
