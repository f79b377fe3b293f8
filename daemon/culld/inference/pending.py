"""Items that are handed to a pool of workers together, and their results."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culld.errors import SystemFaultError

_BEAT_S = 1.0


class PendingResults:
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
        while not self.is_over():
            beat()
            with self._changed:
                self._changed.wait_for(self.is_over, _BEAT_S)
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

    def is_over(self) -> bool:
        """Whether all results are there, or none will come any more."""
        return not self._missing or self._fault is not None


@dataclass(frozen=True, slots=True)
class Job:
    """One item of a work."""

    work: PendingResults
    number: int

    @property
    def message(self) -> tuple[str, Any]:
        """What the worker is sent: the name of the desk's method, and the item."""
        return self.work.task, self.work.items[self.number]

    def answer(self, result: object) -> None:
        """Take in the result."""
        self.work.put(self.number, result)
