"""From marks to settled photos: the first two stages of the page, on the loop's thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.intake.marks import Dirty, Mark, Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence
    from pathlib import Path

    from culld.intake.scanning import Scanner
    from culld.intake.settle import Settler
    from culld.ports import Clock, Journal
    from culld.records import Place, Sighting


@dataclass(frozen=True, slots=True)
class Intake:
    """Scans what is marked, looks again at what is waiting, and lets through what has settled and is not known.

    `roots` are those that are there now: of the others nothing is looked at, and nothing concluded.
    """

    roots: Callable[[], Sequence[Path]]
    scanner: Scanner
    settler: Settler
    journal: Journal
    clock: Clock
    in_flight: Container[Place]

    def settled(self, marks: Iterable[Mark]) -> list[Sighting]:
        """The photos that are complete and new, after a look at whatever the marks name, and at what was quiet."""
        seen = {sighting.place: sighting for sighting in self._scan(set(marks))}
        for place in self.settler.due(self.clock.monotonic()):
            again = self.scanner.look(place)
            if again is None:
                self.settler.forget(place)
                seen.pop(place, None)
            else:
                seen[place] = again
        return self.settler.look(self._unknown(seen.values()), self.clock.monotonic())

    def _unknown(self, seen: Iterable[Sighting]) -> Iterator[Sighting]:
        """Without the files that were dealt with, or are about to be; those are not waited for either."""
        for sighting in seen:
            if sighting.place in self.in_flight or self.journal.knows(sighting.place, sighting.stamp):
                self.settler.forget(sighting.place)
            else:
                yield sighting

    def _scan(self, marks: set[Mark]) -> Iterator[Sighting]:
        roots = self.roots()
        if Signal.RESCAN in marks:
            for root in roots:
                yield from self.scanner.scan(root)
            return
        for mark in marks:
            if isinstance(mark, Dirty) and mark.root in roots and mark.folder.is_relative_to(mark.root):
                yield from self.scanner.scan(mark.root, mark.folder, deep=mark.deep)
