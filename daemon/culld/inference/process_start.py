"""Starting worker processes: the start itself, and how long to wait after one that failed."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol

from culld.errors import SystemFaultError
from culld.inference.worker_process import serve_requests
from culld.retry import LONGEST_START_DELAY, START_RETRY_AFTER, doubled_delay

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from culld.inference.pending import Job
    from culld.inference.worker_process import WorkerLimits

CONTEXT: Final = multiprocessing.get_context("spawn")
"""Processes are spawned, because TensorFlow and threads do not survive a fork."""

WAIT_TIMEOUT_S: Final = 60.0
"""How long a worker that does nothing but wait for the GPU process may send nothing.

It is longer than `GpuClient` waits for an answer.
"""
MAX_LOSSES: Final = 3
"""So many workers may end while a request waits in them, before that counts as its own failure."""
_STOP_TIMEOUT_S = 2.0
_OPEN_TIMEOUT_S = 60.0


class Process(Protocol):
    """The part of `multiprocessing.Process` that a pool uses."""

    @property
    def pid(self) -> int | None:
        """The process id; None before the start."""

    @property
    def exitcode(self) -> int | None:
        """The exit code; None while the process runs."""

    def is_alive(self) -> bool:
        """Return whether the process runs."""

    def kill(self) -> None:
        """Send SIGKILL to the process."""

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end of the process, or until `timeout` seconds have passed."""


class Start(Protocol):
    """The function with which a pool starts a process; raises OSError if the system has no resources for one."""

    def __call__(self, pipe: Connection, create_handler: Callable[[], object], limits: WorkerLimits) -> Process:
        """Start `serve_requests` with these arguments in a process of its own."""


def start_process(pipe: Connection, create_handler: Callable[[], object], limits: WorkerLimits) -> Process:
    """Start a worker; raises OSError if the system has no resources for it (`pids` limit, memory, open files).

    The new process inherits the working directory. If that was deleted, this process changes to `/`, because
    multiprocessing needs a directory that exists.
    """
    try:
        os.getcwd()  # noqa: PTH109 (the call that multiprocessing makes, and that raises)
    except OSError:
        os.chdir("/")
    process = CONTEXT.Process(
        target=serve_requests, args=(pipe, create_handler, limits), name="culld-worker", daemon=True
    )
    process.start()
    return process


@dataclass(slots=True, eq=False)
class Worker:
    """A process and the pipe to it; it is ready once it has its handler.

    It must finish its `job` before the `deadline`, or make it wait for the GPU process; `limits.ahead` may wait there.
    """

    process: Process
    pipe: Connection
    deadline: float
    limits: WorkerLimits
    is_ready: bool = False
    job: Job | None = None
    waiting: dict[int, Job] = field(default_factory=dict)
    _taken: int = 0
    _allowed_s: float = 0.0

    @classmethod
    def launch(cls, start: Start, create_handler: Callable[[], object], limits: WorkerLimits) -> Worker:
        """Start a process; raises OSError if the system has no resources for another."""
        own_end, child_end = CONTEXT.Pipe()
        try:
            process = start(child_end, create_handler, limits)
        except BaseException:  # close the pipe after any exception, also KeyboardInterrupt
            own_end.close()
            raise
        finally:
            child_end.close()
        return cls(process, own_end, time.monotonic() + _OPEN_TIMEOUT_S, limits)

    @property
    def is_free(self) -> bool:
        """Whether the worker can take a job."""
        return self.is_ready and self.job is None and len(self.waiting) < max(1, self.limits.ahead)

    def take(self, job: Job) -> None:
        """Send a job to the worker; raises any exception of pickling, and OSError."""
        self._taken += 1
        self._allowed_s = self.limits.seconds
        self.job, self.deadline = job, time.monotonic() + self._allowed_s
        self.pipe.send((self._taken, job.request))

    def extend(self, seconds: float) -> None:
        """Give the job of the worker another time in seconds, which begins now."""
        if self.job is not None:
            self._allowed_s, self.deadline = seconds, time.monotonic() + seconds

    def release(self) -> None:
        """Make the worker free for the next job."""
        self.job = None
        self.deadline = time.monotonic() + WAIT_TIMEOUT_S if self.waiting else math.inf

    def defer(self, number: int) -> None:
        """Let a job wait for the GPU process, which takes no time of the job's."""
        if self.job is not None:
            self.waiting[number] = self.job
        self.release()

    def finish(self, number: int) -> Job | None:
        """Return the job of this number, which is answered."""
        job = self.waiting.pop(number, None)
        if job is None:
            job = self.job
            self.release()
        elif self.job is None:
            self.release()
        return job

    @property
    def overdue(self) -> str:
        """The reason, as a clause, for ending the worker after its deadline."""
        if not self.is_ready:
            return "it did not start in time"
        if self.job is None:
            return f"sent nothing for {WAIT_TIMEOUT_S:g} s"
        by = "limits.time" if self._allowed_s == self.limits.seconds else "limits.time and the length of the clip"
        return f"took longer than {self._allowed_s:.6g} s ({by})"

    def lost(self) -> tuple[list[Job], list[Job]]:
        """Return the jobs that the loss of this worker costs, and those to give to another worker.

        Of the second kind are those that wait for the GPU process, up to `MAX_LOSSES` times: their photos are decoded,
        so that the loss has another cause.
        """
        cost = [] if self.job is None else [self.job]
        waiting = [replace(job, losses=job.losses + 1) for job in self.waiting.values()]
        again = [job for job in waiting if job.losses <= MAX_LOSSES]
        return cost + [job for job in waiting if job.losses > MAX_LOSSES], again

    def await_handler(self) -> None:
        """Wait until the worker has its handler; raises SystemFaultError if that cannot be created."""
        try:
            patience_s = max(0.0, self.deadline - time.monotonic())
            problem = self.pipe.recv() if self.pipe.poll(patience_s) else "it did not start in time"
        except (EOFError, OSError):
            self.process.join(_STOP_TIMEOUT_S)
            problem = f"it ended at once with code {self.process.exitcode}; is limits.memory too small?"
        if problem is not None:
            raise SystemFaultError(f"a worker process cannot start: {problem}")
        self.is_ready = True
        self.release()

    def ask_to_end(self) -> None:
        """Ask the process to end by itself."""
        with contextlib.suppress(OSError):  # the process has ended
            self.pipe.send(None)

    def end(self, patience_s: float = 0.0) -> None:
        """Wait up to `patience_s` seconds for the end of the process, then kill it."""
        self.process.join(patience_s)
        if self.process.is_alive():
            self.process.kill()
            self.process.join(_STOP_TIMEOUT_S)
        self.pipe.close()


@dataclass(slots=True)
class StartBackoff:
    """Consecutive failed starts: `why` the last one failed, `since` when, and when the `next` start is due.

    Times are those of `time.monotonic`, in seconds. The wait doubles from 1 s to 30 s.
    """

    why: str = ""
    since: float = 0.0
    next: float = 0.0
    _failures: int = 0

    def add(self, why: str, now: float) -> None:
        """Record a failed start at the time `now`."""
        if not self.why:
            self.since = now
        self.why = why
        self._failures += 1
        self.next = now + doubled_delay(START_RETRY_AFTER, self._failures, LONGEST_START_DELAY).total_seconds()

    def clear(self) -> None:
        """A worker is ready."""
        self.why, self.next, self._failures = "", 0.0, 0
