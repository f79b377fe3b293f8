"""Gathers settled photos into batches: pure, on a clock that is passed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from culld.records import FileSnapshot, RootedPath


GROWTH: Final = 4


@dataclass(slots=True)
class Batcher:
    """Photos that settle within `wait_s` of the first one are judged together, and as soon as they are `size`.

    Where more are waiting, up to `GROWTH` times as many go at once: what a batch costs is shared by more photos.

    Those that were taken are still in here until they are `done` with: they are not to be gathered anew.
    """

    size: int
    wait_s: float
    _waiting: dict[RootedPath, FileSnapshot] = field(default_factory=dict)  # a drop of 100,000 photos waits here
    _since: float = 0.0
    _taken: set[RootedPath] = field(default_factory=set)

    def add(self, settled: Iterable[FileSnapshot], now: float) -> None:
        """Put photos into the batch that is being gathered."""
        for sighting in settled:
            if not self._waiting:
                self._since = now
            self._waiting[sighting.place] = sighting

    def take(self, now: float) -> list[FileSnapshot]:
        """The next batch if it is full or has waited long enough; else nothing."""
        if len(self._waiting) < self.size and now < self.due_at:
            return []
        batch = list(islice(self._waiting.values(), GROWTH * self.size))
        for sighting in batch:
            del self._waiting[sighting.place]
            self._taken.add(sighting.place)
        return batch

    def release(self, batch: Iterable[FileSnapshot]) -> None:
        """These have been dealt with, however it ended."""
        self._taken.difference_update(sighting.place for sighting in batch)

    @property
    def due_at(self) -> float:
        """The monotonic second at which the gathered photos go even if few; infinite when there are none."""
        return self._since + self.wait_s if self._waiting else float("inf")

    def __contains__(self, place: object) -> bool:
        return place in self._waiting or place in self._taken

    def __len__(self) -> int:
        return len(self._waiting)
