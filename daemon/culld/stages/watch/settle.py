"""Which files are complete: a pure decision over what was seen, and when, on a clock that is passed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from culld.records import FileSnapshot, FileStat, RootedPath

REMOTE_QUIET_S = 15.0
"""The least quiet time on a file system whose writers this kernel does not see, such as a network share."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The stamp that a file had, the monotonic second since which it has not changed, and the one of the first look."""

    stamp: FileStat
    since: float
    first: float


@dataclass(slots=True)
class Settler:
    """Holds files back until two equal looks lie a quiet time apart and nobody has them open for writing.

    Quiet time alone is fooled by any writer that pauses for longer (measured: `fallocate`, then a pause), so
    `is_written` asks the kernel as well. Where that cannot tell (None), the quiet time is doubled. `far` holds the
    watched folders on file systems that others write to as well: they get `FAR_QUIET_S` at least.
    """

    quiet_s: float
    is_written: Callable[[RootedPath], bool | None]
    remote_roots: Collection[Path] = ()
    # By quiet time; in each lane, those that have been quiet for longest come first.
    _by_quiet_time: dict[float, dict[RootedPath, Observation]] = field(default_factory=dict)

    def observe(self, sightings: Iterable[FileSnapshot], now: float) -> list[FileSnapshot]:
        """Take in what was seen at the monotonic second `now`; returns the files that are complete."""
        return [sighting for sighting in sightings if self._settled(sighting, now)]

    def forget(self, place: RootedPath) -> None:
        """Stop waiting for a file that is gone."""
        for lane in self._by_quiet_time.values():
            lane.pop(place, None)

    def due(self, now: float) -> list[RootedPath]:
        """The files that have been quiet for long enough: a look at them will tell whether they are complete."""
        return [place for quiet, lane in self._by_quiet_time.items() for place in _is_quiet_since(lane, now - quiet)]

    @property
    def waiting(self) -> list[RootedPath]:
        """The files that were seen and are not complete yet."""
        return [place for lane in self._by_quiet_time.values() for place in lane]

    def __len__(self) -> int:
        return sum(map(len, self._by_quiet_time.values()))

    def slow(self, seconds: float, now: float) -> int:
        """How many files were first seen so long ago, and are still growing or held open for writing."""
        return sum(now - look.first > seconds for lane in self._by_quiet_time.values() for look in lane.values())

    def is_complete(self, place: RootedPath, age: float) -> bool:
        """Whether a file that last changed `age` seconds ago is complete."""
        quiet = self.quiet(place)
        if age < quiet:
            return False
        written = self.is_written(place)
        return not written and (written is not None or age >= 2 * quiet)

    def _settled(self, sighting: FileSnapshot, now: float) -> bool:
        place = sighting.place
        lane = self._by_quiet_time.setdefault(self.quiet(place), {})
        before = lane.get(place)
        if before is None or before.stamp != sighting.stamp:
            self.forget(place)  # so that it comes last
            lane[place] = Observation(sighting.stamp, now, before.first if before else now)
            return False
        if not self.is_complete(place, now - before.since):
            return False
        self.forget(place)
        return True

    def quiet(self, place: RootedPath) -> float:
        """How many seconds this file must be quiet."""
        return max(self.quiet_s, REMOTE_QUIET_S) if place.root in self.remote_roots else self.quiet_s


def _is_quiet_since(lane: dict[RootedPath, Observation], moment: float) -> Iterator[RootedPath]:
    return (place for place, _ in takewhile(lambda entry: entry[1].since <= moment, lane.items()))
