"""From marks to settled photos: the first two stages of the page, on the loop's thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from culld.stages.watch.signals import DirtyFolder, Signal, Wakeup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from culld.ports import Clock, KnownFiles
    from culld.records import FileSnapshot
    from culld.stages.watch.scanner import Scanner
    from culld.stages.watch.settle import Settler


MAX_WAITING: Final = 20_000
LONG_SCAN_S: Final = 0.02
SCAN_BACKOFF: Final = 20
"""So many times as long as its scan took, a folder is not scanned again; a photo that comes meanwhile waits so long."""
LONGEST_BACKOFF_S: Final = 30.0


class InFlight(Protocol):
    """The photos that have settled and are not judged yet."""

    def __contains__(self, place: object) -> bool:
        """Whether the photo at a place is among them."""

    def __len__(self) -> int:
        """How many there are."""


@dataclass(slots=True)
class IntakeQueue:
    """Scans what is marked, looks again at what is waiting, and lets through what has settled and is not known.

    `roots` are those that are there now: of the others nothing is looked at, and nothing concluded. A folder that took
    long to scan rests for a while, and no more than `most` photos wait at a time, so that a drop of any size fits into
    memory: what is marked meanwhile is scanned once that is `due`.
    """

    roots: Callable[[], Sequence[Path]]
    scanner: Scanner
    settler: Settler
    journal: KnownFiles
    clock: Clock
    in_flight: InFlight
    capacity: int = MAX_WAITING
    _asked: set[Wakeup] = field(default_factory=set)
    _not_before: dict[Wakeup, float] = field(default_factory=dict)
    _is_full: bool = False

    def settled(self, marks: Iterable[Wakeup]) -> list[FileSnapshot]:
        """The photos that are complete and new, after a look at whatever the marks name, and at what was quiet."""
        self._asked.update(mark for mark in marks if mark is Signal.RESCAN or isinstance(mark, DirtyFolder))
        return self._changed_files(self._ready_scans()) + self._due()

    @property
    def next_scan_at(self) -> float:
        """The monotonic second at which a scan that was put off can be made; infinite if none was, or none can."""
        if not self._asked or not self._has_room():
            return float("inf")
        return min(self._not_before.get(mark, 0.0) for mark in self._asked)

    def _ready_scans(self) -> set[Wakeup]:
        """The scans that are asked for and can be made now; the others stay put off."""
        now = self.clock.monotonic()
        if now < self.next_scan_at:
            return set()
        awake = {mark for mark in self._asked if self._not_before.get(mark, 0.0) <= now}
        self._asked -= awake
        return awake

    @property
    def is_full(self) -> bool:
        """Whether there are more photos than wait at a time."""
        return self._is_full

    def _has_room(self) -> bool:
        """Whether more photos may wait: once there are too many, not before half of them are gone."""
        waiting = len(self.settler) + len(self.in_flight)
        self._is_full = waiting >= self.capacity // 2 if self._is_full else waiting >= self.capacity
        return not self._is_full

    def _changed_files(self, marks: set[Wakeup]) -> list[FileSnapshot]:
        seen = (sighting for sighting in self._scan(marks) if sighting.place not in self.in_flight)
        settled: list[FileSnapshot] = []
        for sighting in self.journal.unknown(seen):
            settled += self.settler.observe([sighting], self.clock.monotonic())
            if len(self.settler) + len(self.in_flight) + len(settled) >= self.capacity:
                self._is_full = True
                self._asked |= marks
                break
        return settled

    def _due(self) -> list[FileSnapshot]:
        """The photos that were quiet for long enough and are complete; what is gone or known is not waited for."""
        seen = {place: self.scanner.find(place) for place in self.settler.due(self.clock.monotonic())}
        unknown = list(self.journal.unknown(sighting for sighting in seen.values() if sighting is not None))
        settled = self.settler.observe(unknown, self.clock.monotonic())
        for place in seen.keys() - {sighting.place for sighting in unknown}:
            self.settler.forget(place)
        return settled

    def _scan(self, marks: set[Wakeup]) -> Iterator[FileSnapshot]:
        roots = self.roots()
        if Signal.RESCAN in marks:
            for root in roots:
                yield from self.scanner.scan(root)
            return
        for mark in marks:
            if isinstance(mark, DirtyFolder) and mark.root in roots and mark.folder.is_relative_to(mark.root):
                yield from self._scan_one(mark)

    def _scan_one(self, mark: DirtyFolder) -> Iterator[FileSnapshot]:
        """Scan a folder, and let it rest afterwards: moving photos out of a folder of 100,000 marks it all the time."""
        begin = self.clock.monotonic()
        yield from self.scanner.scan(mark.root, mark.folder, deep=mark.deep)
        end = self.clock.monotonic()
        for rested in [other for other, until in self._not_before.items() if until < end]:
            del self._not_before[rested]
        if end - begin > LONG_SCAN_S:
            self._not_before[mark] = end + min(SCAN_BACKOFF * (end - begin), LONGEST_BACKOFF_S)
