"""What the journal can be asked: everything here only reads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from culld.journal import file_state, history, retention
from culld.journal.cases import case, cases
from culld.journal.database_errors import translate_errors
from culld.journal.recalling import assessment_of_content, assessments_at, shots_between
from culld.journal.rejects import quarantined, reject, rejects
from culld.journal.row_mapping import tagged, tagged_by, tagged_places

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterator
    from datetime import datetime
    from pathlib import Path

    from culld.records import Assessment, DecisionCase, FileStat, QuarantinedPhoto, RootedPath, TaggedFiles, Verdict


_T = TypeVar("_T")
_DEVICE = "SELECT device FROM folder WHERE path = ?"


class JournalReader:
    """The reading half of the journal; every method may raise SystemFaultError."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        """Use an open database; `path` is for messages."""
        self._db = db
        self.path = path

    def is_restored(self, digest: str) -> bool:
        """Whether a person brought this content back from quarantine."""
        with translate_errors(self.path):
            return file_state.is_restored(self._db, digest)

    def assessments_at(self, place: RootedPath, stamp: FileStat) -> Assessment | None:
        """What was said of the file at a place, if it looks as it did then; None if nothing is known."""
        return self._ask(lambda db: assessments_at(db, place, stamp))

    def shots_between(self, root: Path, first: datetime, last: datetime, but: Collection[str]) -> list[Assessment]:
        """The photos of a watched folder taken between two moments, as they were judged; their stamps are empty.

        Copies of the bytes with the digests in `but` are left out.
        """
        return self._ask(lambda db: shots_between(db, os.fsencode(root), first, last, but))

    def rejects(self, since: datetime | None = None) -> list[QuarantinedPhoto]:
        """Every photo that was moved to quarantine since a moment, with what is known of it since."""
        return self._ask(lambda db: rejects(db, since))

    def quarantined(self, digest: str) -> list[QuarantinedPhoto]:
        """The photos with these bytes that culld moved and no person brought back, the oldest first."""
        return self._ask(lambda db: quarantined(db, digest))

    def reject(self, plan: str) -> QuarantinedPhoto | None:
        """The photo that a plan moved to quarantine; None if the plan is not known, or did not end so."""
        return self._ask(lambda db: reject(db, plan))

    def assessment_of_content(self, digest: str) -> Assessment | None:
        """What was said last of these bytes, before or after they were tagged, wherever they were."""
        return self._ask(lambda db: assessment_of_content(db, digest))

    def tagged(self, place: RootedPath | None = None) -> Iterator[TaggedFiles]:
        """Every photo that culld wrote to, the newest decision first; only the one at a place, if one is given."""
        with translate_errors(self.path):
            yield from tagged(self._db, place)

    def tagged_by(self, plan: str) -> list[TaggedFiles]:
        """The decision of a plan and the earlier ones about the same path that wrote to files, the newest first."""
        return self._ask(lambda db: tagged_by(db, plan))

    def tagged_places(self) -> list[RootedPath]:
        """Where the photos are that culld wrote to, those of the newest decisions first."""
        return self._ask(tagged_places)

    def device_of(self, folder: Path) -> int | None:
        """The device that a folder was on when it was last used; None if that is not known."""
        found = self._ask(lambda db: db.execute(_DEVICE, (os.fsencode(folder),)).fetchone())
        return None if found is None else found[0] % (1 << 64)

    def judged_files(self, root: Path, after: RootedPath | None) -> list[RootedPath]:
        """Some of the files of a root that were judged, in order, from the one `after` on; none if none is left."""
        return self._ask(lambda db: retention.judged_files(db, root, after))

    def decisions(self, wanted: history.Filter) -> list[history.Decision]:
        """Past decisions, the newest first."""
        return self._ask(lambda db: history.decisions(db, wanted))

    def cases(self, since: datetime | None = None) -> list[DecisionCase]:
        """The last decision about each photo, with all that it was made from."""
        return self._ask(lambda db: cases(db, since))

    def case(self, plan: str) -> DecisionCase | None:
        """One decision with what it was made from, but for the partners of its photo."""
        return self._ask(lambda db: case(db, plan))

    def history_of(self, place: RootedPath) -> list[history.Decision]:
        """Every decision about photos that were or are at a place, the oldest first."""
        return self._ask(lambda db: history.history_of(db, place))

    def counts(self, since: datetime | None = None) -> dict[Verdict, int]:
        """How many decisions were carried out, by verdict."""
        return self._ask(lambda db: history.counts(db, since))

    def unwanted(self, since: datetime | None = None) -> int:
        """How many photos would have been moved, had culld been let."""
        return self._ask(lambda db: history.unwanted(db, since))

    def recently_moving(self, limit: int, since: datetime | None) -> list[tuple[RootedPath, bool]]:
        """Return the photos of the last decisions, the oldest first, each with whether it was to be moved."""
        return self._ask(lambda db: history.recently_moving(db, limit, since))

    def open_faults(self) -> list[history.OpenFault]:
        """The files that wait for another try or for a person."""
        return self._ask(history.open_faults)

    def last_number(self) -> int:
        """The number of the newest decision, 0 if there is none; each decision has a higher one than those before."""
        return self._ask(retention.last_number)

    def number_of(self, plan: str) -> int | None:
        """The number of the decision of a plan; None if it is not known."""
        return self._ask(lambda db: retention.number_of(db, plan))

    def status(self) -> dict[str, tuple[str, datetime]]:
        """What the daemon last said of itself, by key, with when."""
        return self._ask(history.status)

    def _ask(self, question: Callable[[sqlite3.Connection], _T]) -> _T:
        with translate_errors(self.path):
            return question(self._db)
