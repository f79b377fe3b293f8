"""Which files are complete: a pure decision over what was seen, and when, on a clock that is passed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from culld.records import Place, Sighting, Stamp


@dataclass(frozen=True, slots=True)
class Look:
    """The stamp that a file had, and the monotonic second since which it has not changed."""

    stamp: Stamp
    since: float


@dataclass(slots=True)
class Settler:
    """Holds files back until two equal looks lie a quiet time apart and nobody has them open for writing.

    Quiet time alone is fooled by any writer that pauses for longer (measured: `fallocate`, then a pause), so
    `is_written` asks the kernel as well.
    """

    quiet_s: float
    is_written: Callable[[Place], bool]
    _looks: dict[Place, Look] = field(default_factory=dict)  # those that have been quiet for longest come first

    def look(self, sightings: Iterable[Sighting], now: float) -> list[Sighting]:
        """Take in what was seen at the monotonic second `now`; returns the files that are complete."""
        return [sighting for sighting in sightings if self._settled(sighting, now)]

    def forget(self, place: Place) -> None:
        """Stop waiting for a file that is gone."""
        self._looks.pop(place, None)

    def due(self, now: float) -> list[Place]:
        """The files that have been quiet for long enough: a look at them will tell whether they are complete."""
        quiet = takewhile(lambda entry: now - entry[1].since >= self.quiet_s, self._looks.items())
        return [place for place, _ in quiet]

    @property
    def waiting(self) -> list[Place]:
        """The files that were seen and are not complete yet."""
        return list(self._looks)

    def waiting_longer_than(self, seconds: float, now: float) -> list[Place]:
        """Files that have been quiet for so long and are still being held open for writing."""
        return [place for place, look in self._looks.items() if now - look.since > seconds]

    def _settled(self, sighting: Sighting, now: float) -> bool:
        before = self._looks.get(sighting.place)
        if before is None or before.stamp != sighting.stamp:
            self.forget(sighting.place)  # so that it comes last
            self._looks[sighting.place] = Look(sighting.stamp, now)
            return False
        if now - before.since < self.quiet_s or self.is_written(sighting.place):
            return False
        del self._looks[sighting.place]
        return True
