"""The complete files for `culld once`: folder by folder, with a limited wait for files that are being written."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from culld.ports import Clock
    from culld.records import FileSnapshot
    from culld.stages.watch.scanner import Scanner
    from culld.stages.watch.settle import Settler

_MAX_WAIT: Final = 3
"""The longest wait of `culld once` for files that are being written, in quiet times."""
_POLL_S: Final = 0.5


@dataclass(slots=True)
class CompleteFiles:
    """Separates complete files from those that are being written; `unfinished` counts those that stay incomplete."""

    scanner: Scanner
    settler: Settler
    clock: Clock
    sleep: Callable[[float], None] = time.sleep
    unfinished: int = 0

    def complete(self, found: Iterable[FileSnapshot]) -> Iterator[FileSnapshot]:
        """Yield the complete files; those of a folder with an incomplete file come last, after a wait for that file.

        The photos of a series are in one folder, and none of them may be decided about without the others. `found`
        yields the files of a folder one after the other.
        """
        waited: list[tuple[FileSnapshot, bool]] = []
        for _, files in groupby(found, lambda snapshot: snapshot.place.path.parent):
            checked = [(snapshot, self._is_complete(snapshot)) for snapshot in files]
            if all(complete for _, complete in checked):
                yield from (snapshot for snapshot, _ in checked)
            else:
                waited += checked
        yield from self._waited(waited)

    def _waited(self, waited: Sequence[tuple[FileSnapshot, bool]]) -> Iterator[FileSnapshot]:
        unsettled = [snapshot for snapshot, complete in waited if not complete]
        settled = {snapshot.place: snapshot for snapshot in self._wait_for(unsettled)}
        self.unfinished = len(self.settler)
        for snapshot, complete in waited:
            if complete or snapshot.place in settled:
                yield settled.get(snapshot.place, snapshot)

    def _is_complete(self, snapshot: FileSnapshot) -> bool:
        """Whether a file is older than the quiet time and no program has it open for writing.

        The age includes the change time, which no program can set, so that old files need no second observation.
        """
        age_s = self.clock.now().timestamp() - max(snapshot.stamp.ctime_ns, snapshot.stamp.mtime_ns) / 1e9
        return self.settler.is_complete(snapshot.place, age_s)

    def _wait_for(self, unsettled: Sequence[FileSnapshot]) -> list[FileSnapshot]:
        """Return those of the unsettled files that settle within `_MAX_WAIT` quiet times."""
        settler = self.settler
        settled = settler.observe(unsettled, self.clock.monotonic())
        timeout_s = _MAX_WAIT * max((settler.quiet(snapshot.place) for snapshot in unsettled), default=0)
        deadline = self.clock.monotonic() + timeout_s
        is_over = False
        while len(settler) and not is_over:
            is_over = (
                self.clock.monotonic() >= deadline
            )  # so that the last check is after the deadline, also on a busy machine
            self.sleep(min(_POLL_S, settler.quiet_s / 2))
            for place in settler.waiting:
                snapshot = self.scanner.find(place)
                if snapshot is None:
                    settler.forget(place)
                else:
                    settled += settler.observe([snapshot], self.clock.monotonic())
        return settled
