"""Written stand-ins for what tests must not need: clocks, desks, readers, journals."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import factories
from culld.errors import SystemFaultError
from culld.records import Assessment, Fault, Outcome, Photo, Place, Plan, Sighting, Stamp


@dataclass
class FakeClock:
    """A clock that moves only when told to."""

    moment: datetime = factories.NOON
    second: float = 1000.0

    def now(self) -> datetime:
        """The wall time."""
        return self.moment

    def monotonic(self) -> float:
        """The steady time."""
        return self.second

    def advance(self, seconds: float) -> None:
        """Let time pass on both."""
        self.second += seconds
        self.moment += timedelta(seconds=seconds)


class FakeDesk:
    """What a worker process is given in the pool's tests: it doubles, and misbehaves on request."""

    def double(self, item: int) -> int:
        """Twice the item."""
        return 2 * item

    def misbehave(self, item: str) -> str:
        """Crash, hang, spin, eat memory or write a file, as `item` says; else answer it."""
        if item == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if item == "hang":
            time.sleep(3600)
        while item == "spin":
            pass
        if item == "memory":
            return str(len(bytearray(8 << 30)))
        if item.startswith("write "):
            with open(item.removeprefix("write "), "wb") as stream:  # noqa: PTH123 (the plainest way to break the rule)
                stream.write(b"x")
        return item

    def imports(self, _item: object) -> list[str]:
        """The modules that this worker process has loaded."""
        return sorted(sys.modules)


def broken_desk() -> FakeDesk:
    """A desk that cannot be opened."""
    raise SystemFaultError("the model is gone")


@dataclass
class FakeReader:
    """Gives prepared answers for the names of files."""

    faults: dict[str, str] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)

    def inspect(self, settled: Sequence[Sighting]) -> list[Photo | Fault]:
        """A photo for each file, or its fault."""
        return [self._fault(seen) or factories.photo(seen.place.relative.name) for seen in settled]

    def score(self, photos: Sequence[Photo]) -> list[Assessment | Fault]:
        """The prepared blur of each photo, else 0."""
        names = [photo.place.relative.name for photo in photos]
        return [factories.assessment(name, blur=self.scores.get(name, 0.0)) for name in names]

    def _fault(self, seen: Sighting) -> Fault | None:
        reason = self.faults.get(seen.place.relative.name)
        return Fault(seen, reason, timedelta(minutes=1)) if reason else None


@dataclass
class FakeJournal:
    """Remembers in lists what a journal would put on disk, in the order in which it happened."""

    seen: set[str] = field(default_factory=set)
    events: list[str] = field(default_factory=list)

    def knows(self, place: Place, stamp: Stamp) -> bool:
        """Nothing is known by its stamp."""
        return False

    def unseen(self, photos: Sequence[Photo]) -> list[Photo]:
        """All photos but the `seen`."""
        return [photo for photo in photos if photo.place.relative.name not in self.seen]

    def is_restored(self, digest: str) -> bool:
        """Nothing was restored."""
        return False

    def fault(self, fault: Fault) -> None:
        """Note the fault."""
        self.events.append(f"fault {fault.sighting.place.relative}: {fault.reason}")

    @contextlib.contextmanager
    def intend(self, plans: Sequence[Plan]) -> Iterator[FakeJournal]:
        """Note the plans, then the end of the batch."""
        self.events.append("intend " + " ".join(str(plan.photo.place.relative) for plan in plans))
        yield self
        self.events.append("end")

    def close(self, outcome: Outcome) -> Outcome:
        """Note the outcome."""
        self.events.append(f"close {outcome.now.relative}")
        return outcome
