"""From marks to settled photos."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import factories
import fakes
from culld.intake.marks import Dirty, Signal
from culld.intake.settle import Settler
from culld.records import Place, Sighting, Stamp
from culld.service.sightings import Intake

ROOT = Path("/photos")


@dataclass
class FakeScanner:
    """Finds the prepared files, and remembers what it was asked."""

    files: dict[Place, Stamp] = field(default_factory=dict)
    asked: list[tuple[Path, Path | None, bool]] = field(default_factory=list)

    def scan(self, root: Path, folder: Path | None = None, *, deep: bool = True) -> Iterator[Sighting]:
        """All prepared files, wherever they are said to be."""
        self.asked.append((root, folder, deep))
        yield from (Sighting(place, stamp) for place, stamp in self.files.items())

    def look(self, place: Place) -> Sighting | None:
        """One prepared file."""
        return Sighting(place, self.files[place]) if place in self.files else None


@dataclass
class KnowingJournal(fakes.FakeJournal):
    """A journal that knows some places."""

    known: set[Place] = field(default_factory=set)

    def knows(self, place: Place, stamp: Stamp) -> bool:
        """Whether the place is among the known."""
        return place in self.known


@dataclass
class House:
    """An intake with one photo in its root."""

    scanner: FakeScanner = field(default_factory=lambda: FakeScanner({factories.place(): factories.stamp()}))
    journal: KnowingJournal = field(default_factory=KnowingJournal)
    clock: fakes.FakeClock = field(default_factory=fakes.FakeClock)
    in_flight: set[Place] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Tie it together."""
        self.roots = [ROOT]
        self.settler = Settler(quiet_s=3, is_written=lambda _: False)
        self.intake = Intake(lambda: self.roots, self.scanner, self.settler, self.journal, self.clock, self.in_flight)  # type: ignore[arg-type]

    def seen(self, *marks: Dirty | Signal) -> list[str]:
        """The names that have settled after a look."""
        return [sighting.place.relative.name for sighting in self.intake.settled(marks)]


def test_a_marked_photo_settles_without_another_event() -> None:
    """What has been quiet for long enough is looked at again, marked or not."""
    house = House()
    assert house.seen(Dirty(ROOT, ROOT)) == []

    house.clock.advance(3)

    assert house.seen() == ["a.jpg"]
    assert house.settler.waiting == []


def test_a_known_photo_is_not_waited_for() -> None:
    """A photo that was dealt with while it was waiting leaves the list, or culld would look at it for ever."""
    house = House()
    house.seen(Dirty(ROOT, ROOT))
    house.journal.known.add(factories.place())
    house.clock.advance(3)

    assert house.seen() == []
    assert house.settler.waiting == []


def test_a_photo_in_flight_is_not_settled_twice() -> None:
    """An event about a photo that already waits for its batch starts nothing."""
    house = House()
    house.in_flight.add(factories.place())

    assert house.seen(Dirty(ROOT, ROOT)) == []
    assert house.settler.waiting == []


def test_a_photo_that_vanishes_is_forgotten() -> None:
    """A temporary file that is renamed away leaves no trace."""
    house = House()
    house.seen(Dirty(ROOT, ROOT))
    house.scanner.files.clear()
    house.clock.advance(3)

    assert house.seen() == []
    assert house.settler.waiting == []


def test_a_rescan_stands_for_all_marks() -> None:
    """When everything is scanned, single folders are not scanned as well."""
    house = House()

    house.seen(Signal.RESCAN, Dirty(ROOT, ROOT / "x"))

    assert house.scanner.asked == [(ROOT, None, True)]


def test_a_mark_outside_its_root_is_ignored() -> None:
    """A move out of the root may name a folder elsewhere."""
    house = House()

    house.seen(Dirty(ROOT, Path("/elsewhere")))

    assert house.scanner.asked == []


@pytest.mark.parametrize("mark", [Signal.RESCAN, Dirty(ROOT, ROOT)])
def test_a_root_that_is_away_is_not_looked_at(mark: Dirty | Signal) -> None:
    """What stands in its place is not it."""
    house = House()
    house.roots.clear()

    house.seen(mark)

    assert house.scanner.asked == []
