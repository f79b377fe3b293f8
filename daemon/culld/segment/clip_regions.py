"""The regions of a clip over its time: the share of each class, and the ranges of time in which it is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from culld.records.regions import REGION_CLASSES, RegionClass
from culld.segment.picture import COLOURS, present

if TYPE_CHECKING:
    from collections.abc import Mapping

Range = tuple[float, float]
GAP: Final = 0.5
"""Ranges of a class that lie at most so many seconds apart are one: contours flicker at the limit of a threshold."""


@dataclass(slots=True)
class RegionTimes:
    """What is added up over the frames of a clip; the memory depends on the number of ranges only."""

    seconds: float = 0.0
    frames: int = 0
    _areas: dict[RegionClass, float] = field(default_factory=lambda: dict.fromkeys(REGION_CLASSES, 0.0))
    _ranges: dict[RegionClass, list[Range]] = field(default_factory=lambda: {kind: [] for kind in COLOURS})

    def add(self, at: float, seconds: float, shares: Mapping[RegionClass, float]) -> None:
        """Add a frame that is shown from `at` on for some seconds, with the share of it of each class, 0..1."""
        self.seconds = at + seconds
        self.frames += 1
        for kind, share in shares.items():
            self._areas[kind] += share * seconds
        for kind, _ in present(shares):
            known = self._ranges[kind]
            start = known.pop()[0] if known and at - known[-1][1] <= GAP else at
            known.append((start, self.seconds))

    @property
    def shares(self) -> dict[RegionClass, float]:
        """The share of the frame of each class, 0..1: the mean over the time, not over the frames."""
        return {kind: area / self.seconds if self.seconds else 0.0 for kind, area in self._areas.items()}

    @property
    def ranges(self) -> dict[RegionClass, tuple[Range, ...]]:
        """When each class but `fine` is in the legend: (start, end) in seconds, in order."""
        return {kind: tuple(known) for kind, known in self._ranges.items()}
