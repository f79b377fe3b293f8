"""Gathers settled photos into batches: pure, on a clock that is passed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from culld.records import Sighting


@dataclass(slots=True)
class Batcher:
    """Photos that settle within `wait_s` of the first one, or the first `size` of them, are judged together."""

    size: int
    wait_s: float
    _waiting: list[Sighting] = field(default_factory=list)
    _since: float = 0.0

    def add(self, settled: Iterable[Sighting], now: float) -> None:
        """Put photos into the batch that is being gathered."""
        for sighting in settled:
            if not self._waiting:
                self._since = now
            self._waiting.append(sighting)

    def take(self, now: float, *, flush: bool = False) -> list[Sighting]:
        """The next batch if it is full, has waited long enough, or must go (`flush`); else nothing."""
        if not (flush or len(self._waiting) >= self.size or now >= self.due):
            return []
        batch, self._waiting = self._waiting[: self.size], self._waiting[self.size :]
        return batch

    @property
    def due(self) -> float:
        """The monotonic second at which the gathered photos go even if few; infinite when there are none."""
        return self._since + self.wait_s if self._waiting else float("inf")

    def __contains__(self, place: object) -> bool:
        return any(sighting.place == place for sighting in self._waiting)

    def __len__(self) -> int:
        return len(self._waiting)
