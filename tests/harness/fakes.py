"""Fakes of what tests must not need: clocks, workers, readers, journals."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from culld.errors import SystemFaultError
from culld.inference.deferred import Deferred
from culld.inference.gpu_client import GpuClient
from culld.inference.gpu_process import Address
from culld.inference.network import ArraySpec, Signature
from culld.inference.pending import PendingResults, Request
from culld.records import Assessment, FileSnapshot, Outcome, Photo, Plan, ReadFailure
from culld.stages.read.scoring import DEFECT_NETWORK
from harness import factories


@dataclass
class FakeClock:
    """A clock that moves only when the test moves it."""

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
        """Set the wall clock forward or back; the other clocks do not change."""
        self.moment += by

    def advance(self, seconds: float) -> None:
        """Let time pass on all of them."""
        self.second += seconds
        self.moment += timedelta(seconds=seconds)


class FakeHandler:
    """The handler of the pool's tests; the requests below do not use it."""


@dataclass(frozen=True)
class Double:
    """Twice the item."""

    item: int

    def handle(self, _handler: FakeHandler) -> int:
        """Return it."""
        return 2 * self.item


@dataclass(frozen=True)
class Misbehave:
    """Crash, hang, spin, raise, eat memory or write a file, as `item` names it; else return it."""

    item: Any

    def handle(self, _handler: FakeHandler) -> object:
        """Return the item, unless it misbehaves before."""
        item = self.item
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


@dataclass(frozen=True)
class Long:
    """Takes `takes_s` seconds, and says before that it wants `wants_s`; it raises if that is no number."""

    wants_s: Any
    takes_s: float

    def seconds(self, _handler: FakeHandler) -> float:
        """Return what it wants."""
        return self.wants_s + 0.0

    def handle(self, _handler: FakeHandler) -> str:
        """Take its time."""
        time.sleep(self.takes_s)
        return "done"


@dataclass(frozen=True)
class ProcessId:
    """The number of the worker process."""

    def handle(self, _handler: FakeHandler) -> int:
        """Return it."""
        return os.getpid()


class FakeNetwork:
    """Stands in for TensorFlow: a row is the brightness of a frame and the size of the batch; white is too much."""

    signature = Signature({"frame": ArraySpec((4, 6, 3), "uint8")}, {"row": ArraySpec((2,), "float32")})
    device = "nothing"
    precision = "float32"
    largest = 3
    seconds = 0.0

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """A row for each frame: its mean value, and how many frames came together."""
        frames = arrays["frame"]
        time.sleep(self.seconds)
        if frames.max() == 255:
            raise SystemFaultError("the GPU has no memory for a single photo")
        return {"row": np.array([[frame.mean(), len(frames)] for frame in frames], np.float32)}


class SlowNetwork(FakeNetwork):
    """The same, but it takes its time, so that requests wait for each other."""

    seconds = 0.02


@dataclass
class TimedNetwork(FakeNetwork):
    """The same, with its time for a batch and its largest batch."""

    seconds: float = 0.0
    largest: int = 3


class LargeFrames(TimedNetwork):
    """The same, for frames of 256 KiB, of which few fit into a socket."""

    signature = Signature({"frame": ArraySpec((256, 341, 3), "uint8")}, FakeNetwork.signature.outputs)


OWN_ROW = (0.5, 0.5)


class OwnNetwork:
    """The network that a worker falls back to: always the same row."""

    signature = FakeNetwork.signature

    def run(self, _arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return it."""
        return {"row": np.array([OWN_ROW], np.float32)}


class GpuHandler(FakeHandler):
    """A handler with a GPU process."""

    def __init__(self, address: Address) -> None:
        """Connect to it."""
        self.gpu = GpuClient(address, FakeNetwork.signature, OwnNetwork)


@dataclass(frozen=True)
class JudgeFrame:
    """A frame of one brightness for the GPU process, whose decoding misbehaves as `act` names it."""

    value: int
    act: str = ""

    def handle(self, handler: GpuHandler) -> list[float]:
        """Return its row."""
        return self.begin(handler).complete(handler.gpu)

    def begin(self, handler: GpuHandler) -> Deferred[list[float]]:
        """Decode it."""
        Misbehave(self.act).handle(handler)
        frame = np.full((1, *FakeNetwork.signature.inputs["frame"].shape), self.value, np.uint8)
        return Deferred({"frame": frame}, self._finish)

    def _finish(self, outputs: Mapping[str, NDArray[Any]]) -> list[float]:
        if self.act == "fail late":
            raise KeyError("a mistake")
        row: list[float] = outputs["row"][0].tolist()
        return row


@dataclass
class ConstantNetwork:
    """A defect network: the same probabilities for every frame, or those that `scores_of` computes from it."""

    blur: float = 0.0
    under: float = 0.0
    over: float = 0.0
    scores_of: Callable[[NDArray[Any]], Sequence[float]] | None = None
    signature: Signature = DEFECT_NETWORK

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """A row for each frame."""
        (frames,) = arrays.values()
        rows = [self.scores_of(frame) if self.scores_of else (self.blur, self.under, self.over) for frame in frames]
        return {"probabilities": np.array(rows, np.float64)}


def broken_network() -> FakeNetwork:
    """A network that cannot be opened."""
    raise SystemFaultError("no Keras model can be loaded there")


def small_tensorflow(folder: Path) -> object:
    """The real network, for two frames at a time."""
    from culld.inference.tensorflow import TensorFlowNetwork  # noqa: PLC0415 (loaded in a process of its own)

    return TensorFlowNetwork(folder, DEFECT_NETWORK, largest=2)


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
    """A pool without processes: what it is asked for is done at once, by the one handler."""

    handler: object
    trouble: str = ""

    def submit(self, requests: Sequence[Request[Any]]) -> PendingResults[Any]:
        """Handle all requests, one after the other."""
        work = PendingResults(requests)
        for number, request in enumerate(requests):
            work.put(number, request.handle(self.handler))
        return work

    def map(self, requests: Sequence[Request[Any]], beat: Callable[[], None] = lambda: None) -> list[Any]:
        """Return the results of all requests."""
        beat()
        return self.submit(requests).results(beat)


def broken_handler() -> FakeHandler:
    """A handler that cannot be created."""
    raise SystemFaultError("the model is gone")


@dataclass
class FakeReader:
    """Returns prepared results for the names of files; the contents of `known` names are known."""

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
        """Return the result for one file."""
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
        self.events.append(f"fault {fault.snapshot.place.relative}: {fault.reason}")

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
