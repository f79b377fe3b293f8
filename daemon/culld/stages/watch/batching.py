"""Batches of settled photos; pure, with the time passed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from culld.records import FileSnapshot, RootedPath


GROWTH: Final = 4
"""The largest size of a batch, in multiples of `Batcher.size`."""


@dataclass(slots=True)
class Batcher:
    """Collects a batch of `size` photos, or of those that settle within `wait_s` seconds of the first one.

    Where more are waiting, a batch holds up to `GROWTH` times as many, so that more photos share the cost of a commit.
    A photo of a batch that was taken is remembered until it is released, so that no later scan adds it again.
    """

    size: int
    wait_s: float
    _waiting: dict[RootedPath, FileSnapshot] = field(default_factory=dict)  # may hold 100,000 photos
    _since: float = 0.0
    _taken: set[RootedPath] = field(default_factory=set)

    def add(self, settled: Iterable[FileSnapshot], now: float) -> None:
        """Add settled photos to the next batch at the monotonic second `now`."""
        for snapshot in settled:
            if not self._waiting:
                self._since = now
            self._waiting[snapshot.place] = snapshot

    def take(self, now: float) -> list[FileSnapshot]:
        """Take the next batch if it is full or `wait_s` has passed; otherwise return an empty list."""
        if len(self._waiting) < self.size and now < self.due_at:
            return []
        batch = list(islice(self._waiting.values(), GROWTH * self.size))
        for snapshot in batch:
            del self._waiting[snapshot.place]
            self._taken.add(snapshot.place)
        return batch

    def release(self, batch: Iterable[FileSnapshot]) -> None:
        """Forget the photos of a batch that was processed, with success or not."""
        self._taken.difference_update(snapshot.place for snapshot in batch)

    @property
    def due_at(self) -> float:
        """The monotonic second at which the next batch is due even if it is not full; infinite when none waits."""
        return self._since + self.wait_s if self._waiting else float("inf")

    def __contains__(self, place: object) -> bool:
        return place in self._waiting or place in self._taken

    def __len__(self) -> int:
        return len(self._waiting)
