"""Written stand-ins for what tests must not need: clocks, desks, readers, journals."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from culld.errors import SystemFaultError
from culld.inference.pending import PendingResults
from culld.records import Assessment, FileSnapshot, Outcome, Photo, Plan, ReadFailure
from harness import factories


@dataclass
class FakeClock:
    """A clock that moves only when told to."""

    moment: datetime = factories.NOON
    second: float = 1000.0
    start: str = "first start"
    started: float = 0.0

    def now(self) -> datetime:
        """The wall time."""
        return self.moment

    def monotonic(self) -> float:
        """The steady time."""
        return self.second

    def uptime(self) -> float:
        """The seconds since the start of the machine."""
        return self.second - self.started

    def boot(self) -> str:
        """The name of this start of the machine."""
        return self.start

    def restart(self, start: str) -> None:
        """Start the machine again."""
        self.start, self.started = start, self.second

    def set(self, by: timedelta) -> None:
        """Set the wall clock forward or back; the others go on."""
        self.moment += by

    def advance(self, seconds: float) -> None:
        """Let time pass on all of them."""
        self.second += seconds
        self.moment += timedelta(seconds=seconds)


class FakeDesk:
    """What a worker process is given in the pool's tests: it doubles, and misbehaves on request."""

    def double(self, item: int) -> int:
        """Twice the item."""
        return 2 * item

    def misbehave(self, item: str) -> object:
        """Crash, hang, spin, raise, eat memory or write a file, as `item` says; else answer it."""
        if item == "raise":
            raise KeyError("a mistake")
        if item == "unsendable":
            return lambda: None
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

    def process(self, _item: object) -> int:
        """The number of this worker process."""
        return os.getpid()

    def imports(self, _item: object) -> list[str]:
        """The modules that this worker process has loaded."""
        return sorted(sys.modules)


class FakeNetwork:
    """Stands in for TensorFlow: blur is the brightness of a frame, over the size of the batch; white is too much."""

    shape = (4, 6, 3)
    device = "nothing"
    precision = "float32"
    largest = 3

    def run(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A row for each frame."""
        if frames.max() == 255:
            raise SystemFaultError("the GPU has no memory for a single photo")
        rows = [[frame.mean() / 255, 0, len(frames)] for frame in frames]
        return np.array(rows, np.float32)


def broken_network() -> FakeNetwork:
    """A network that cannot be opened."""
    raise SystemFaultError("no Keras model can be loaded there")


def small_tensorflow(folder: Path) -> object:
    """The real network, for two frames at a time."""
    from culld.inference.tensorflow import TensorFlowNetwork  # noqa: PLC0415 (loaded in a process of its own)

    return TensorFlowNetwork(folder, largest=2)


class Warnings(logging.Handler):
    """Listens to the warnings of culld, whichever thread gives them."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__(logging.WARNING)
        self.texts: list[str] = []
        self.changed = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """One more."""
        self.texts.append(record.getMessage())
        self.changed.set()

    def __enter__(self) -> Self:
        logging.getLogger("culld").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("culld").removeHandler(self)


@dataclass
class FakePool:
    """A pool without processes: what it is asked for is done at once, by the one desk."""

    desk: object
    trouble: str = ""

    def submit(self, task: str, items: Sequence[Any]) -> PendingResults:
        """Do all items, one after the other."""
        work = PendingResults(task, items)
        for number, item in enumerate(items):
            work.put(number, getattr(self.desk, task)(item))
        return work

    def map(self, task: str, items: Sequence[Any], beat: Callable[[], None] = lambda: None) -> list[Any]:
        """The same, with the results at once."""
        beat()
        return self.submit(task, items).results(beat)


def broken_desk() -> FakeDesk:
    """A desk that cannot be opened."""
    raise SystemFaultError("the model is gone")


@dataclass
class FakeReader:
    """Gives prepared answers for the names of files; the contents of `known` names are known."""

    faults: dict[str, str] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    begun: list[Sequence[FileSnapshot]] = field(default_factory=list)

    def begin(self, batch: Sequence[FileSnapshot]) -> None:
        """Note that it was asked."""
        self.begun.append(batch)

    def read(self, batch: Sequence[FileSnapshot]) -> Iterable[Photo | Assessment | ReadFailure]:
        """The prepared blur of each file that is not known, else 0, or its fault."""
        return [self.one(seen) for seen in batch]

    def one(self, seen: FileSnapshot) -> Photo | Assessment | ReadFailure:
        """The answer for one file."""
        name = seen.place.relative.name
        if name in self.faults:
            return ReadFailure(seen, self.faults[name], timedelta(minutes=1))
        found = factories.assessment(name, blur=self.scores.get(name, 0.0))
        return found.photo if name in self.known else found


@dataclass
class FakeJournal:
    """Remembers in lists what a journal would put on disk, in the order in which it happened."""

    seen: set[str] = field(default_factory=set)
    events: list[str] = field(default_factory=list)
    faults: list[ReadFailure] = field(default_factory=list)
    unwritable: str = ""

    def unseen(self, photos: Sequence[Photo]) -> list[Photo]:
        """All photos but the `seen`."""
        return [photo for photo in photos if photo.place.relative.name not in self.seen]

    def fault(self, fault: ReadFailure) -> None:
        """Note the fault."""
        self.faults.append(fault)
        self.events.append(f"fault {fault.sighting.place.relative}: {fault.reason}")

    @contextlib.contextmanager
    def intend(self, plans: Sequence[Plan]) -> Iterator[FakeJournal]:
        """Note the plans, then the end of the batch; fail over an `unwritable` one."""
        if any(str(plan.photo.place.relative) == self.unwritable for plan in plans):
            raise UnicodeEncodeError("utf-8", self.unwritable, 0, 1, "surrogates not allowed")
        self.events.append("intend " + " ".join(str(plan.photo.place.relative) for plan in plans))
        yield self
        self.events.append("end")

    def close(self, outcome: Outcome) -> Outcome:
        """Note the outcome."""
        self.events.append(f"close {outcome.now.relative}")
        return outcome
