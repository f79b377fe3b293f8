"""The complete files for a set of wake-ups, and for `culld once`: the stages watch and settle, on the loop's thread."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Final, Protocol

from culld.retry import scan_delay_s
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


class InFlight(Protocol):
    """The photos that have settled and are not recorded yet."""

    def __contains__(self, place: object) -> bool:
        """Whether the photo at a place is among them."""

    def __len__(self) -> int:
        """The number of these photos."""


@dataclass(slots=True)
class IntakeQueue:
    """Scans dirty folders, observes waiting files again, and returns the files that have settled and are not known.

    `roots` returns the roots that are present; the others are not scanned. A folder whose scan took longer than
    `LONG_SCAN_S` is not scanned again for a while. At most about `capacity` photos wait, so that any number of new
    photos fits into memory: folders that become dirty at the limit are scanned at `next_scan_at`.
    """

    roots: Callable[[], Sequence[Path]]
    scanner: Scanner
    settler: Settler
    journal: KnownFiles
    clock: Clock
    in_flight: InFlight
    capacity: int = MAX_WAITING
    _requested: set[Wakeup] = field(default_factory=set)
    _not_before: dict[Wakeup, float] = field(default_factory=dict)
    _is_full: bool = False

    def settled(self, wakeups: Iterable[Wakeup]) -> list[FileSnapshot]:
        """Scan what the wake-ups name, observe waiting files again, and return the photos that are complete and new."""
        self._requested.update(each for each in wakeups if each is Signal.RESCAN or isinstance(each, DirtyFolder))
        return self._changed_files(self._ready_scans()) + self._due()

    @property
    def next_scan_at(self) -> float:
        """The monotonic second of the next postponed scan; infinite if none is postponed, or `capacity` is reached."""
        if not self._requested or not self._has_room():
            return float("inf")
        return min(self._not_before.get(each, 0.0) for each in self._requested)

    def _ready_scans(self) -> set[Wakeup]:
        """Return the scans that may run now; the others stay postponed."""
        now = self.clock.monotonic()
        if now < self.next_scan_at:
            return set()
        ready = {each for each in self._requested if self._not_before.get(each, 0.0) <= now}
        self._requested -= ready
        return ready

    @property
    def is_full(self) -> bool:
        """Whether `capacity` was reached, and at least half of it is still waiting."""
        return self._is_full

    def _has_room(self) -> bool:
        """Whether more photos may wait; once `capacity` was reached, not before fewer than half of it wait."""
        waiting = len(self.settler) + len(self.in_flight)
        self._is_full = waiting >= self.capacity // 2 if self._is_full else waiting >= self.capacity
        return not self._is_full

    def _changed_files(self, scans: set[Wakeup]) -> list[FileSnapshot]:
        seen = (snapshot for snapshot in self._scan(scans) if snapshot.place not in self.in_flight)
        settled: list[FileSnapshot] = []
        for snapshot in self.journal.unknown(seen):
            settled += self.settler.observe([snapshot], self.clock.monotonic())
            if len(self.settler) + len(self.in_flight) + len(settled) >= self.capacity:
                self._is_full = True
                self._requested |= scans
                break
        return settled

    def _due(self) -> list[FileSnapshot]:
        """Return the waiting photos that are complete now; forget those that are gone or known."""
        seen = {place: self.scanner.find(place) for place in self.settler.due(self.clock.monotonic())}
        unknown = list(self.journal.unknown(snapshot for snapshot in seen.values() if snapshot is not None))
        settled = self.settler.observe(unknown, self.clock.monotonic())
        for place in seen.keys() - {snapshot.place for snapshot in unknown}:
            self.settler.forget(place)
        return settled

    def _scan(self, scans: set[Wakeup]) -> Iterator[FileSnapshot]:
        roots = self.roots()
        if Signal.RESCAN in scans:
            for root in roots:
                yield from self.scanner.scan(root)
            return
        for dirty in scans:
            if isinstance(dirty, DirtyFolder) and dirty.root in roots and dirty.folder.is_relative_to(dirty.root):
                yield from self._scan_one(dirty)

    def _scan_one(self, dirty: DirtyFolder) -> Iterator[FileSnapshot]:
        """Scan a folder, and postpone its next scan: each photo moved out of a large folder makes it dirty again."""
        begin = self.clock.monotonic()
        yield from self.scanner.scan(dirty.root, dirty.folder, deep=dirty.deep)
        end = self.clock.monotonic()
        for past in [other for other, until in self._not_before.items() if until < end]:
            del self._not_before[past]
        if end - begin > LONG_SCAN_S:
            self._not_before[dirty] = end + scan_delay_s(end - begin)


_MAX_WAIT: Final = 3
"""The longest wait of `culld once` for files that are being written, in quiet times."""
_POLL_S: Final = 0.5


@dataclass(slots=True)
class CompleteFiles:
    """Separates complete files from those that are being written; `unfinished` counts those that stay incomplete."""

    scanner: Scanner
    settler: Settler
    clock: Clock
    sleep: Callable[[float], None] = time.sleep
    unfinished: int = 0

    def complete(self, found: Iterable[FileSnapshot]) -> Iterator[FileSnapshot]:
        """Yield the complete files; those of a folder with an incomplete file come last, after a wait for that file.

        The photos of a series are in one folder, and none of them may be decided about without the others. `found`
        yields the files of a folder one after the other.
        """
        waited: list[tuple[FileSnapshot, bool]] = []
        for _, files in groupby(found, lambda snapshot: snapshot.place.path.parent):
            checked = [(snapshot, self._is_complete(snapshot)) for snapshot in files]
            if all(complete for _, complete in checked):
                yield from (snapshot for snapshot, _ in checked)
            else:
                waited += checked
        yield from self._waited(waited)

    def _waited(self, waited: Sequence[tuple[FileSnapshot, bool]]) -> Iterator[FileSnapshot]:
        unsettled = [snapshot for snapshot, complete in waited if not complete]
        settled = {snapshot.place: snapshot for snapshot in self._wait_for(unsettled)}
        self.unfinished = len(self.settler)
        for snapshot, complete in waited:
            if complete or snapshot.place in settled:
                yield settled.get(snapshot.place, snapshot)

    def _is_complete(self, snapshot: FileSnapshot) -> bool:
        """Whether a file is older than the quiet time and no program has it open for writing.

        The age includes the change time, which no program can set, so that old files need no second observation.
        """
        age_s = self.clock.now().timestamp() - max(snapshot.stamp.ctime_ns, snapshot.stamp.mtime_ns) / 1e9
        return self.settler.is_complete(snapshot.place, age_s)

    def _wait_for(self, unsettled: Sequence[FileSnapshot]) -> list[FileSnapshot]:
        """Return those of the unsettled files that settle within `_MAX_WAIT` quiet times."""
        settler = self.settler
        settled = settler.observe(unsettled, self.clock.monotonic())
        timeout_s = _MAX_WAIT * max((settler.quiet(snapshot.place) for snapshot in unsettled), default=0)
        deadline = self.clock.monotonic() + timeout_s
        is_over = False
        while len(settler) and not is_over:
            is_over = (
                self.clock.monotonic() >= deadline
            )  # so that the last check is after the deadline, also on a busy machine
            self.sleep(min(_POLL_S, settler.quiet_s / 2))
            for place in settler.waiting:
                snapshot = self.scanner.find(place)
                if snapshot is None:
                    settler.forget(place)
                else:
                    settled += settler.observe([snapshot], self.clock.monotonic())
        return settled
