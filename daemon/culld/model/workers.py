"""Worker processes: spawned, limited, replaceable; what they do is handed in.

A worker opens its own desk (decoders, network) and answers one task at a time, so that a file that crashes a decoder or
never ends costs that one file. The next item goes to whichever worker is free: one huge photo holds up nobody else.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import threading
import time
from collections import deque
from dataclasses import dataclass
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, Self

from culld.errors import SystemFaultError, WorkerLostError
from culld.model.worker import serve_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from culld.model.worker import WorkerLimits

log = logging.getLogger(__name__)

_STOP_TIMEOUT_S = 2.0
_START_TIMEOUT_S = 60.0
_BEAT_S = 1.0


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    job: _Job | None = None
    deadline: float = float("inf")


class Work:
    """Items that were handed to a pool together; their results come in while the caller does something else."""

    def __init__(self, task: str, items: Sequence[Any]) -> None:
        """Expect a result for each item."""
        self.task = task
        self.items = items
        self._results: list[Any] = [None] * len(items)
        self._missing = len(items)
        self._fault: SystemFaultError | None = None
        self._changed = threading.Condition()

    def results(self, beat: Callable[[], None] = lambda: None) -> list[Any]:
        """The result for each item, in order, once all are there; raises SystemFaultError if the pool is broken.

        `beat` is called at least every second; an exception that it raises ends the wait, not the work.
        """
        while not self._is_over():
            beat()
            with self._changed:
                self._changed.wait_for(self._is_over, _BEAT_S)
        if self._fault is not None:
            raise self._fault
        return self._results

    def put(self, number: int, result: object) -> None:
        """Take in the result for one item."""
        with self._changed:
            self._results[number] = result
            self._missing -= 1
            self._changed.notify_all()

    def fail(self, fault: SystemFaultError) -> None:
        """There will be no more results."""
        with self._changed:
            self._fault = fault
            self._changed.notify_all()

    def _is_over(self) -> bool:
        return not self._missing or self._fault is not None


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work
    number: int

    @property
    def message(self) -> tuple[str, Any]:
        return self.work.task, self.work.items[self.number]


class Pool:
    """A fixed number of worker processes over which items are spread by a thread of the pool's own.

    The thread only carries tasks and results between processes, so that no worker waits for the loop to have time.
    """

    def __init__(self, open_desk: Callable[[], object], count: int, limits: WorkerLimits) -> None:
        """Prepare `count` workers; each calls the picklable `open_desk` once, and then its methods by name."""
        self._open_desk = open_desk
        self._count = count
        self._limits = limits
        self._context = multiprocessing.get_context("spawn")  # TensorFlow and threads do not survive a fork
        self._workers: list[_Worker] = []
        self._waiting: deque[_Job] = deque()
        self._fault: SystemFaultError | None = None
        self._lock = threading.Lock()
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="culld-pool", daemon=True)
        self._wake, self._bell = self._context.Pipe(duplex=False)

    def start(self) -> None:
        """Start all workers and wait until each has its desk open; raises SystemFaultError if one cannot."""
        self._workers = [self._spawn() for _ in range(self._count)]
        for worker in self._workers:
            self._await_ready(worker)
        self._thread.start()

    def stop(self) -> None:
        """End all workers; they never hold anything that is not on disk."""
        self._stopping = True
        self._ring()
        if self._thread.is_alive():
            self._thread.join()
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

    def submit(self, task: str, items: Sequence[Any], *, urgent: bool = False) -> Work:
        """Have the desk's method `task` called for each item; what is `urgent` goes before what waits already.

        A worker that dies or passes its time limit is replaced, and its item's result is a `WorkerLostError`.
        """
        work = Work(task, items)
        jobs = [_Job(work, number) for number in range(len(items))]
        with self._lock:
            if self._fault is not None:
                work.fail(self._fault)
            elif urgent:
                self._waiting.extendleft(reversed(jobs))
            else:
                self._waiting.extend(jobs)
        self._ring()
        return work

    def map(self, task: str, items: Sequence[Any], beat: Callable[[], None] = lambda: None) -> list[Any]:
        """The result of the desk's method `task` for each item, in order, before anything else that waits."""
        return self.submit(task, items, urgent=True).results(beat) if items else []

    def _ring(self) -> None:
        self._bell.send_bytes(b"!")

    def _serve(self) -> None:
        """Hand out and gather until the pool stops; what goes wrong here is told to whoever waits."""
        try:
            while not self._stopping:
                self._hand_out()
                self._gather()
        except SystemFaultError as fault:
            self._fail(fault)
        except Exception as error:
            log.exception("the pool of workers is broken")
            self._fail(SystemFaultError(f"the pool of workers is broken: {error!r}; please report this"))

    def _fail(self, fault: SystemFaultError) -> None:
        with self._lock:
            self._fault = fault
            jobs = [*self._waiting, *(worker.job for worker in self._workers if worker.job is not None)]
            self._waiting.clear()
        for work in {job.work for job in jobs}:
            work.fail(fault)

    def _hand_out(self) -> None:
        for place, worker in enumerate(self._workers):
            if worker.job is not None:
                continue
            with self._lock:
                job = self._waiting.popleft() if self._waiting else None
            if job is None:
                return
            if not worker.process.is_alive():
                worker = self._workers[place] = self._replace(worker)  # noqa: PLW2901 (the one that takes the job)
            worker.job = job
            worker.deadline = time.monotonic() + self._limits.seconds
            with contextlib.suppress(OSError):  # it died meanwhile: `_gather` sees the closed pipe
                worker.pipe.send(job.message)

    def _gather(self) -> None:
        busy = [worker for worker in self._workers if worker.job is not None]
        deadline = min((worker.deadline for worker in busy), default=None)
        timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready = connection.wait([self._wake, *(worker.pipe for worker in busy)], timeout)
        if self._wake in ready:
            self._wake.recv_bytes()
        for place, worker in enumerate(self._workers):
            if worker.job is None:
                continue
            if worker.pipe in ready:
                self._take_answer(place, worker, worker.job)
            elif time.monotonic() >= worker.deadline:
                lost = WorkerLostError(f"took longer than {self._limits.seconds:g} s (limits.seconds)")
                self._lose(place, worker, worker.job, lost)

    def _take_answer(self, place: int, worker: _Worker, job: _Job) -> None:
        try:
            answer = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(_STOP_TIMEOUT_S)
            lost = WorkerLostError(f"the worker that read it ended with code {worker.process.exitcode}")
            self._lose(place, worker, job, lost)
        else:
            worker.job = None
            job.work.put(job.number, answer)

    def _lose(self, place: int, worker: _Worker, job: _Job, why: WorkerLostError) -> None:
        self._workers[place] = self._replace(worker)
        job.work.put(job.number, why)

    def _replace(self, worker: _Worker) -> _Worker:
        self._kill(worker)
        log.warning("worker %s was lost; starting another", worker.process.pid)
        fresh = self._spawn()
        self._await_ready(fresh)
        return fresh

    def _spawn(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=serve_tasks, args=(theirs, self._open_desk, self._limits), name="culld-worker", daemon=True
        )
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _await_ready(self, worker: _Worker) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        try:
            while not worker.pipe.poll(_BEAT_S) and time.monotonic() < deadline:
                if self._stopping:
                    return
            problem = worker.pipe.recv() if worker.pipe.poll() else "it did not start in time"
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
