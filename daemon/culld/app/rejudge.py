"""The journal for photos that are decided again although they were judged before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from culld.journal.store import Batch, SqliteJournal
    from culld.records import Assessment, FileSnapshot, FileStat, Photo, Plan, RootedPath


@dataclass(frozen=True, slots=True)
class ReplayJournal:
    """A `ports.Journal` that calls no photo known."""

    journal: SqliteJournal

    def unseen(self, photos: Sequence[Photo]) -> list[Photo]:
        """Return all photos."""
        return list(photos)

    def intend(self, plans: Sequence[Plan]) -> AbstractContextManager[Batch]:
        """Store the plans of a batch; within the context each plan is closed with its outcome."""
        return self.journal.intend(plans)


@dataclass(frozen=True, slots=True)
class Rejudging:
    """The lookups of a pass that judges every photo below the paths `scope` again.

    `last` is the number of the newest decision before the pass.
    """

    journal: SqliteJournal
    scope: Sequence[Path]
    last: int

    def unknown(self, seen: Iterable[FileSnapshot]) -> Iterator[FileSnapshot]:
        """Yield the files that are not known, and those that were judged or restored by the user.

        A file whose next try is not due, and one with a plan that waits for the user, are not among them.
        """
        return self.journal.unknown_or_judged(seen)

    def recall(self, place: RootedPath, stamp: FileStat) -> Assessment | None:
        """Return the recorded assessment of a file with this stamp; None if there is none, or the pass will replace it.

        The other photo of a shot may be in a later batch. With its old scores the shot could be moved wrongly. Without
        an assessment it blocks the move, and the later batch decides about the shot with the new scores of both.
        """
        in_scope = any(place.path.is_relative_to(path) for path in self.scope)
        if in_scope and not self.journal.is_decided_after(self.last, place):
            return None
        return self.journal.assessments_at(place, stamp)
