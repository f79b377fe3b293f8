"""Starting worker processes: the start itself, and how long to wait after one that failed."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import time
from dataclasses import dataclass
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
"""TensorFlow and threads do not survive a fork."""

_STOP_TIMEOUT_S = 2.0
_OPEN_TIMEOUT_S = 60.0


class Process(Protocol):
    """What a pool asks of a process: see `multiprocessing.Process`."""

    @property
    def pid(self) -> int | None:
        """Its number."""

    @property
    def exitcode(self) -> int | None:
        """How it ended; None if it lives."""

    def is_alive(self) -> bool:
        """Whether it has not ended."""

    def kill(self) -> None:
        """End it at once."""

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""


class Start(Protocol):
    """How a pool starts a process; raises OSError if the system has no room for one."""

    def __call__(self, pipe: Connection, create_handler: Callable[[], object], limits: WorkerLimits) -> Process:
        """Start `serve_requests` with these arguments in a process of its own."""


def start_process(pipe: Connection, create_handler: Callable[[], object], limits: WorkerLimits) -> Process:
    """Start a worker; raises OSError if the system has no room for another process (`pids` limit, memory, files).

    The new process begins in the folder that this one works in. Where that was deleted, this one moves to `/`: a
    relative path meant nothing any more.
    """
    try:
        os.getcwd()  # noqa: PTH109 (as multiprocessing asks it, which fails where it fails)
    except OSError:
        os.chdir("/")
    process = CONTEXT.Process(
        target=serve_requests, args=(pipe, create_handler, limits), name="culld-worker", daemon=True
    )
    process.start()
    return process


@dataclass(slots=True, eq=False)
class Worker:
    """A process and the pipe to it; it is ready once it has its handler, and must answer until the `deadline`."""

    process: Process
    pipe: Connection
    deadline: float
    is_ready: bool = False
    job: Job | None = None

    @classmethod
    def launch(cls, start: Start, create_handler: Callable[[], object], limits: WorkerLimits) -> Worker:
        """Start a process; raises OSError if the system has no room for another."""
        ours, theirs = CONTEXT.Pipe()
        try:
            process = start(theirs, create_handler, limits)
        except BaseException:  # whatever it was, also Ctrl-C, the pipe must not stay open
            ours.close()
            raise
        finally:
            theirs.close()
        return cls(process, ours, time.monotonic() + _OPEN_TIMEOUT_S)

    @property
    def is_free(self) -> bool:
        """Whether it can take a job."""
        return self.is_ready and self.job is None

    def release(self) -> None:
        """Be free for the next job."""
        self.job, self.deadline = None, math.inf

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
        """Let it end by itself."""
        with contextlib.suppress(OSError):  # it has ended
            self.pipe.send(None)

    def end(self, patience_s: float = 0.0) -> None:
        """End the process after so many seconds at the latest."""
        self.process.join(patience_s)
        if self.process.is_alive():
            self.process.kill()
            self.process.join(_STOP_TIMEOUT_S)
        self.pipe.close()


@dataclass(slots=True)
class StartBackoff:
    """Starts that failed in a row: `why` the last one did, and the monotonic second at which the `next` may be tried.

    The wait doubles from 1 s to 30 s.
    """

    why: str = ""
    since: float = 0.0
    next: float = 0.0
    _failures: int = 0

    def add(self, why: str, now: float) -> None:
        """A start failed."""
        if not self.why:
            self.since = now
        self.why = why
        self._failures += 1
        self.next = now + doubled_delay(START_RETRY_AFTER, self._failures, LONGEST_START_DELAY).total_seconds()

    def clear(self) -> None:
        """A worker is ready."""
        self.why, self.next, self._failures = "", 0.0, 0
