"""The failures of `culld once`: for the journal, for the summary, and to be tried again at the end of a folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from culld.records import FileSnapshot, ReadFailure, RootedPath


@dataclass(slots=True)
class FailureCollector:
    """Keeps the `failures`, and the photos that are deferred until others have come.

    `record` puts a failure into the journal, which need not know of a deferred photo that this pass judges again:
    `has_more` says that it will, and the failure of such a photo is steady.
    """

    record: Callable[[ReadFailure], object]
    has_more: Callable[[], bool]
    failures: dict[RootedPath, str] = field(default_factory=dict)
    _deferred: list[FileSnapshot] = field(default_factory=list)
    _count: int = 0

    def take_deferred(self) -> list[FileSnapshot]:
        """The photos that were deferred since the last call."""
        deferred, self._deferred = self._deferred, []
        return deferred

    def take_count(self) -> int:
        """How many photos failed or were deferred since the last call."""
        count, self._count = self._count, 0
        return count

    def add(self, failure: ReadFailure) -> None:
        """Keep a failure, and record it unless the photo is only deferred."""
        self._count += 1
        if failure.steady and self.has_more():
            self._deferred.append(failure.sighting)
            return
        self.failures[failure.sighting.place] = failure.reason
        self.record(failure)
