"""The counts and the failures of a pass of `culld once`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from culld.records import RootedPath, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from culld.records import FileSnapshot, Outcome, ReadFailure


@dataclass(slots=True)
class Counts:
    """The counts of a pass: photos by verdict, files that were still being written, photos that were judged before.

    `failures` holds the photos that could not be judged, or whose plan could not be carried out; `waiting` those that
    failed earlier and whose next try is not due; `unreadable_folders` the folders that cannot be read. Each has its
    reason. `passed_over` counts pictures of formats that culld does not read, by extension.
    """

    verdicts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    failures: dict[RootedPath, str] = field(default_factory=dict)
    waiting: dict[RootedPath, str] = field(default_factory=dict)
    unreadable_folders: dict[Path, str] = field(default_factory=dict)
    unfinished: int = 0
    known: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)

    def add(self, outcomes: Sequence[Outcome], known: int) -> None:
        """Count the outcomes of a batch; `known` is the number of its photos that were judged before."""
        for outcome in outcomes:
            self.verdicts[outcome.plan.verdict] += 1
            if outcome.fault is not None:
                self.failures[outcome.plan.photo.place] = outcome.fault
        self.known += known


@dataclass(slots=True)
class FailureCollector:
    """Collects the failures, and the photos that are deferred until the other photos of their folder are read.

    A failure is deferred if it is steady and `has_more` returns True: this pass then judges its photo again. Every
    other failure is passed to `record`, which stores it in the journal.
    """

    record: Callable[[ReadFailure], object]
    has_more: Callable[[], bool]
    failures: dict[RootedPath, str] = field(default_factory=dict)
    _deferred: list[FileSnapshot] = field(default_factory=list)
    _count: int = 0

    def take_deferred(self) -> list[FileSnapshot]:
        """Return the photos that were deferred since the last call."""
        deferred, self._deferred = self._deferred, []
        return deferred

    def take_count(self) -> int:
        """Return the number of photos that failed or were deferred since the last call."""
        count, self._count = self._count, 0
        return count

    def add(self, failure: ReadFailure) -> None:
        """Defer the photo of a failure, or keep and record the failure."""
        self._count += 1
        if failure.steady and self.has_more():
            self._deferred.append(failure.snapshot)
            return
        self.failures[failure.snapshot.place] = failure.reason
        self.record(failure)
