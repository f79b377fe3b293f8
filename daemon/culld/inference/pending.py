"""Requests to a pool of workers, those that are submitted together, and their answers.

The type of a request determines the type of its answer.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culld.errors import PhotoError, SystemFaultError

_BEAT_S = 1.0
Answer = TypeVar("Answer")


class PendingResults(Generic[Answer]):
    """Requests that were submitted together; their answers arrive while the caller does other work."""

    def __init__(self, requests: Sequence[Request[Answer]]) -> None:
        """Expect an answer to each request."""
        self.requests = requests
        self._results: list[Any] = [None] * len(requests)
        self._missing = len(requests)
        self._fault: SystemFaultError | None = None
        self._changed = threading.Condition()

    def results(self, beat: Callable[[], None] = lambda: None) -> list[Answer | PhotoError]:
        """Wait for all answers and return them in the order of the requests.

        A PhotoError in place of an answer means that the worker was lost or its handler raised. `beat` is called at
        least every second; an exception that it raises ends the wait, but not the work. Raises SystemFaultError if the
        pool has failed.
        """
        while not self.is_over():
            beat()
            with self._changed:
                self._changed.wait_for(self.is_over, _BEAT_S)
        if self._fault is not None:
            raise self._fault
        return self._results

    def put(self, number: int, result: object) -> None:
        """Store the answer to one request."""
        with self._changed:
            self._results[number] = result
            self._missing -= 1
            self._changed.notify_all()

    def fail(self, fault: SystemFaultError) -> None:
        """Mark the requests as failed: `results` raises this fault."""
        with self._changed:
            self._fault = fault
            self._changed.notify_all()

    @property
    def fault(self) -> SystemFaultError | None:
        """The fault of the pool, which `results` raises; None if it has not failed."""
        return self._fault

    def is_over(self) -> bool:
        """Return whether all answers have arrived, or the pool has failed."""
        return not self._missing or self._fault is not None


@dataclass(frozen=True, slots=True)
class Job:
    """One of the requests of a `PendingResults`; `losses` counts the workers that ended while it waited in them."""

    pending: PendingResults[Any]
    number: int
    losses: int = 0

    @property
    def request(self) -> Request[Any]:
        """The request to send to the worker."""
        return self.pending.requests[self.number]

    def answer(self, result: object) -> None:
        """Store the answer."""
        self.pending.put(self.number, result)


class JobQueue:
    """The jobs that no worker has taken yet; any thread may add some, and the pool's thread takes them."""

    def __init__(self) -> None:
        """Be empty."""
        self._waiting: deque[Job] = deque()
        self._works: list[PendingResults[Any]] = []
        self._fault: SystemFaultError | None = None
        self._lock = threading.Lock()

    def add(self, requests: Sequence[Request[Answer]], *, urgent: bool) -> PendingResults[Answer]:
        """Add a job for each request, `urgent` ones before all others; after `fail` the results fail at once."""
        work = PendingResults(requests)
        jobs = [Job(work, number) for number in range(len(requests))]
        with self._lock:
            if self._fault is not None:
                work.fail(self._fault)
                return work
            self._works = [*(known for known in self._works if not known.is_over()), work]
            if urgent:
                self._waiting.extendleft(reversed(jobs))
            else:
                self._waiting.extend(jobs)
        return work

    def take(self) -> Job | None:
        """Remove and return the next job; None if there is none."""
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    def put_back(self, jobs: Sequence[Job]) -> None:
        """Add jobs that a worker had taken, before all others."""
        with self._lock:
            self._waiting.extendleft(reversed(jobs))

    def fail(self, fault: SystemFaultError) -> None:
        """Fail all results that are not complete, and those of requests that are added later."""
        with self._lock:
            self._fault = fault
            self._waiting.clear()
            works, self._works = self._works, []
        for work in works:
            work.fail(fault)


Answer_co = TypeVar("Answer_co", covariant=True)


class Request(Protocol[Answer_co]):
    """A frozen dataclass that can be pickled; `Pool` sends it to a worker and returns the answer.

    Each type of request calls one method of the handler that the pool's workers create, so that a type checker knows
    the type of the answer although it comes from another process.
    """

    def handle(self, handler: Any) -> Answer_co:
        """Return the answer of the handler; runs in the worker process."""
