"""Scores that were made elsewhere, for the files of the batches that are being read."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from culld.records import Assessment, FileSnapshot, Photo, RootedPath

_BATCHES: Final = 8
"""At most three batches are in use: one is decided about, the next one is read, and one comes back from quarantine."""


class ScoreSource(Protocol):
    """The scores of photos by their paths, however many there are."""

    def holds(self, place: RootedPath) -> bool:
        """Return whether the photo at a path is among the scored ones, with scores or with the reason for none."""

    def assessments(self, batch: Sequence[FileSnapshot]) -> Mapping[RootedPath, Assessment]:
        """Return the assessment of each file that has one; its digest is that of the bytes that were scored."""


class Origin(StrEnum):
    """Where the scores of a judged photo come from."""

    TAKEN = "taken"
    """From the source: they belong to the bytes of the file."""
    CHANGED = "changed"
    """They were made now: the file has other bytes than those that were scored."""
    UNSCORED = "unscored"
    """They were made now: the source says that the photo could not be scored."""


@dataclass(slots=True)
class TakenScores:
    """Gives a `PoolReader` the digests that need no scores, and a `StoredScoresReader` the scores of these digests.

    `judged` returns the digests that the journal knows. User metadata that the source may hold are never used: the
    photo may have been rated since.
    """

    source: ScoreSource
    judged: Callable[[Sequence[FileSnapshot]], Mapping[RootedPath, Collection[str]]]
    _recent: deque[dict[RootedPath, Assessment]] = field(default_factory=lambda: deque(maxlen=_BATCHES))

    def known(self, batch: Sequence[FileSnapshot]) -> dict[RootedPath, frozenset[str]]:
        """Return the digests of each file of a batch for which the workers need not make scores."""
        found, judged = self.source.assessments(batch), self.judged(batch)
        self._recent.append({place: replace(each, user_metadata=None) for place, each in found.items()})
        return {
            file.place: frozenset(judged.get(file.place, ()))
            | ({found[file.place].photo.digest} if file.place in found else set())
            for file in batch
        }

    def lookup(self, digest: str) -> Assessment | None:
        """Return the assessment of these bytes, if a file of the present batches has them."""
        every = (each for batch in self._recent for each in batch.values())
        return next((each for each in every if each.photo.digest == digest), None)

    def origin(self, photo: Photo) -> Origin:
        """Return where the scores of a photo of the present batches come from."""
        scored = next((batch[photo.place] for batch in reversed(self._recent) if photo.place in batch), None)
        if scored is None:
            return Origin.UNSCORED
        return Origin.TAKEN if scored.photo.digest == photo.digest else Origin.CHANGED
