"""The journal as the pipeline of `culld once` sees it: what fails is also kept for the summary."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from culld.ports import Intent, Journal
    from culld.records import FileSnapshot, Photo, Plan, ReadFailure, RootedPath


@dataclass(slots=True)
class FailureCollector:
    """Passes everything on to a journal; keeps the `failures`, and the photos that are held back for others to come.

    `is_holding` says that the sweep judges photos again that are held back now (their fault is steady); of them the
    journal need not know.
    """

    journal: Journal
    has_deferred: Callable[[], bool]
    failures: dict[RootedPath, str] = field(default_factory=dict)
    _deferred: list[FileSnapshot] = field(default_factory=list)
    _count: int = 0

    def take_deferred(self) -> list[FileSnapshot]:
        """The photos that were held back since the last call."""
        held, self._deferred = self._deferred, []
        return held

    def take_count(self) -> int:
        """How many photos failed or were held back since the last call."""
        count, self._count = self._count, 0
        return count

    def fault(self, fault: ReadFailure) -> None:
        """Keep a failure, and record it unless the photo is only held back."""
        self._count += 1
        if fault.steady and self.has_deferred():
            self._deferred.append(fault.sighting)
            return
        self.failures[fault.sighting.place] = fault.reason
        self.journal.fault(fault)

    def unknown(self, seen: Iterable[FileSnapshot]) -> Iterable[FileSnapshot]:
        """As the journal says."""
        return self.journal.unknown(seen)

    def judged(self, settled: Sequence[FileSnapshot]) -> Mapping[RootedPath, Collection[str]]:
        """As the journal says."""
        return self.journal.judged(settled)

    def unseen(self, photos: Sequence[Photo]) -> list[Photo]:
        """As the journal says."""
        return self.journal.unseen(photos)

    def is_restored(self, digest: str) -> bool:
        """As the journal says."""
        return self.journal.is_restored(digest)

    def intend(self, plans: Sequence[Plan]) -> AbstractContextManager[Intent]:
        """As the journal does."""
        return self.journal.intend(plans)
