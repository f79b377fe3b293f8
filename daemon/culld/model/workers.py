"""Worker processes: spawned, limited, replaceable; what they do is handed in.

A worker opens its own desk (decoders, network) and answers one task at a time, so that a file that crashes a decoder or
never ends costs that one file. The next item goes to whichever worker is free: one huge photo holds up nobody else.
"""

from __future__ import annotations

import contextlib
import logging
import math
import multiprocessing
import resource
import signal
import time
from dataclasses import dataclass
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, Self

from culld.errors import SystemFaultError, WorkerLostError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

log = logging.getLogger(__name__)

_STOP_TIMEOUT_S = 2.0
_START_TIMEOUT_S = 60.0
_BEAT_S = 1.0


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What one worker may use: bytes of address space, and wall-clock seconds for one photo."""

    memory: int
    seconds: float


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    index: int | None = None
    deadline: float = float("inf")


class Pool:
    """A fixed number of worker processes over which items are spread; not thread-safe, the loop owns it."""

    def __init__(self, open_desk: Callable[[], object], count: int, limits: WorkerLimits) -> None:
        """Prepare `count` workers; each calls the picklable `open_desk` once, and then its methods by name."""
        self._open_desk = open_desk
        self._count = count
        self._limits = limits
        self._context = multiprocessing.get_context("spawn")  # TensorFlow and threads do not survive a fork
        self._workers: list[_Worker] = []

    def start(self) -> None:
        """Start all workers and wait until each has its desk open; raises SystemFaultError if one cannot."""
        self._workers = [self._spawn() for _ in range(self._count)]
        for worker in self._workers:
            self._await_ready(worker)

    def stop(self) -> None:
        """End all workers; they never hold anything that is not on disk."""
        for worker in self._workers:
            with contextlib.suppress(OSError):
                worker.pipe.send(None)
        for worker in self._workers:
            worker.process.join(_STOP_TIMEOUT_S)
            self._kill(worker)
        self._workers = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def map(self, task: str, items: Sequence[Any], beat: Callable[[], None] = lambda: None) -> list[Any]:
        """The result of the desk's method `task` for each item, in order.

        A worker that dies or passes its time limit is replaced, and its item's result is a `WorkerLostError`. `beat` is
        called at least every second while there is progress or a time limit that will force some.
        """
        results: list[Any] = [None] * len(items)
        waiting = list(range(len(items)))[::-1]
        while waiting or any(worker.index is not None for worker in self._workers):
            self._hand_out(task, items, waiting)
            self._gather(results)
            beat()
        return results

    def _hand_out(self, task: str, items: Sequence[Any], waiting: list[int]) -> None:
        self._workers = [
            worker if worker.index is not None or worker.process.is_alive() else self._replace(worker)
            for worker in self._workers
        ]
        for worker in self._workers:
            if worker.index is None and waiting:
                worker.index = waiting.pop()
                worker.deadline = time.monotonic() + self._limits.seconds
                with contextlib.suppress(OSError):  # it died meanwhile: `_gather` sees the closed pipe
                    worker.pipe.send((task, items[worker.index]))

    def _gather(self, results: list[Any]) -> None:
        busy = [worker for worker in self._workers if worker.index is not None]
        now = time.monotonic()
        timeout = max(0.0, min(_BEAT_S, min(worker.deadline for worker in busy) - now))
        ready = connection.wait([worker.pipe for worker in busy], timeout)
        for place, worker in enumerate(self._workers):
            if worker.index is None:
                continue
            if worker.pipe in ready:
                self._take_answer(place, worker, results)
            elif time.monotonic() >= worker.deadline:
                results[worker.index] = WorkerLostError(f"took longer than {self._limits.seconds:g} s (limits.seconds)")
                self._workers[place] = self._replace(worker)

    def _take_answer(self, place: int, worker: _Worker, results: list[Any]) -> None:
        index, worker.index = worker.index, None
        assert index is not None  # noqa: S101 (only busy workers are asked)
        try:
            results[index] = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(_STOP_TIMEOUT_S)
            results[index] = WorkerLostError(f"the worker that read it ended with code {worker.process.exitcode}")
            self._workers[place] = self._replace(worker)

    def _replace(self, worker: _Worker) -> _Worker:
        self._kill(worker)
        log.warning("worker %s was lost; starting another", worker.process.pid)
        fresh = self._spawn()
        self._await_ready(fresh)
        return fresh

    def _spawn(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_work, args=(theirs, self._open_desk, self._limits), name="culld-worker", daemon=True
        )
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _await_ready(self, worker: _Worker) -> None:
        try:
            problem = worker.pipe.recv() if worker.pipe.poll(_START_TIMEOUT_S) else "it did not start in time"
        except (EOFError, OSError):
            problem = f"it ended at once with code {worker.process.exitcode}; is limits.memory too small?"
        if problem is not None:
            self._kill(worker)
            raise SystemFaultError(f"a worker process cannot start: {problem}")

    def _kill(self, worker: _Worker) -> None:
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join(_STOP_TIMEOUT_S)
        worker.pipe.close()


def _work(pipe: Connection, open_desk: Callable[[], object], limits: WorkerLimits) -> None:
    """Run inside the worker: open the desk, then answer tasks until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which then ends its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # a worker never writes a file
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    try:
        desk = open_desk()
    except SystemFaultError as fault:
        pipe.send(str(fault))
        return
    pipe.send(None)
    with contextlib.suppress(EOFError, OSError):
        while (message := pipe.recv()) is not None:
            task, item = message
            _limit_processor(limits.seconds)
            pipe.send(getattr(desk, task)(item))


def _limit_processor(seconds: float) -> None:
    """Let the next task have so much time of the processor, and as much again: a worker whose daemon was killed ends.

    While the daemon lives, its clock comes first.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = used.ru_utime + used.ru_stime
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(spent + 2 * seconds), hard))
