"""The journal for a pass that changes nothing: it is read, and what the pass would store is forgotten."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from culld.journal import file_state
from culld.journal.database_errors import translate_errors
from culld.journal.store import Batch, SqliteJournal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from culld.clock import SystemClock
    from culld.records import Assessment, FileStat, Photo, Plan, ReadFailure, RootedPath


class DryRunJournal(SqliteJournal):
    """A journal that is opened for reading only; a method that is not overridden here fails if it writes.

    The photos of the present folder are kept in memory, so that other shots of their series are found.
    """

    _recent: dict[RootedPath, Assessment]
    _status: dict[str, tuple[str, datetime]]

    @classmethod
    def of(cls, path: Path, clock: SystemClock) -> DryRunJournal:
        """Open the journal at a path; raises SystemFaultError."""
        journal = cls.open_readonly(path, clock)
        journal._recent, journal._status = {}, {}  # noqa: SLF001 (its own)
        return journal

    def unseen(self, photos: Sequence[Photo]) -> list[Photo]:
        """Return the photos whose content was not judged at their path."""
        with translate_errors(self.path):
            return [photo for photo in photos if not file_state.was_judged(self._db, photo)]

    @contextmanager
    def intend(self, plans: Sequence[Plan]) -> Iterator[Batch]:
        """Keep the photos of the plans in memory, and forget those of other folders."""
        shots = {plan.photo.place: replace(plan.stack.primary, user_metadata=None) for plan in plans}
        folders = {place.path.parent for place in shots}
        self._recent = {place: shot for place, shot in self._recent.items() if place.path.parent in folders} | shots
        yield Batch()

    def assessments_at(self, place: RootedPath, stamp: FileStat) -> Assessment | None:
        """Return the last assessment of the file at a path if the file has this stamp; None if it is not known."""
        recent = self._recent.get(place)
        if recent is not None and recent.photo.stamp == stamp:
            return recent
        return super().assessments_at(place, stamp)

    def shots_between(self, root: Path, first: datetime, last: datetime, but: Collection[str]) -> list[Assessment]:
        """Return the last assessments of the photos of a watched folder that were taken between two moments."""
        shots = {shot.photo.place: shot for shot in super().shots_between(root, first, last, but)}
        for place, shot in self._recent.items():
            taken = shot.photo.camera.taken_at
            if place.root == root and taken is not None and first <= taken <= last and shot.photo.digest not in but:
                shots[place] = shot
        return list(shots.values())

    def fault(self, fault: ReadFailure) -> None:
        """Forget why a file could not be read."""

    def note_restored(self, plan: str, digests: Collection[str], place: RootedPath, stamp: FileStat | None) -> None:
        """Forget that a photo was brought back by hand."""

    def note_deleted(self, plan: str) -> None:
        """Forget that a photo was deleted from quarantine by hand."""

    def note_unclear(self, plan: str, digests: Collection[str]) -> None:
        """Forget that a photo is back for an unknown reason."""

    def set_status(self, key: str, value: str, at: datetime) -> None:
        """Keep a value in memory: the brake stays on to the end of the pass."""
        self._status[key] = (value, at)

    def status(self) -> dict[str, tuple[str, datetime]]:
        """Return the values of the journal, and those of this pass."""
        return super().status() | self._status
