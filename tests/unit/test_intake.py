"""Intake: from wake-ups to settled photos."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from culld.records import FileSnapshot, FileStat, RootedPath
from culld.stages.watch.intake import IntakeQueue
from culld.stages.watch.settle import Settler
from culld.stages.watch.signals import DirtyFolder, Signal
from harness import factories, fakes

ROOT = Path("/photos")


@dataclass
class FakeScanner:
    """Finds the prepared files, and remembers what it was asked."""

    files: dict[RootedPath, FileStat] = field(default_factory=dict)
    asked: list[tuple[Path, Path | None, bool]] = field(default_factory=list)
    cost: Callable[[], None] = lambda: None

    def scan(self, root: Path, folder: Path | None = None, *, deep: bool = True) -> Iterator[FileSnapshot]:
        """Return all prepared files, whatever the folder."""
        self.asked.append((root, folder, deep))
        self.cost()
        yield from (FileSnapshot(place, stamp) for place, stamp in self.files.items())

    def find(self, place: RootedPath) -> FileSnapshot | None:
        """One prepared file."""
        return FileSnapshot(place, self.files[place]) if place in self.files else None


@dataclass
class KnowingJournal(fakes.FakeJournal):
    """A journal that knows some places."""

    known: set[RootedPath] = field(default_factory=set)

    def unknown(self, seen: Iterable[FileSnapshot]) -> Iterable[FileSnapshot]:
        """All but those in known places."""
        return [snapshot for snapshot in seen if snapshot.place not in self.known]


@dataclass
class House:
    """An intake with one photo in its root."""

    scanner: FakeScanner = field(default_factory=lambda: FakeScanner({factories.place(): factories.stamp()}))
    journal: KnowingJournal = field(default_factory=KnowingJournal)
    clock: fakes.FakeClock = field(default_factory=fakes.FakeClock)
    in_flight: set[RootedPath] = field(default_factory=set)
    most: int = 100

    def __post_init__(self) -> None:
        """Tie it together."""
        self.roots = [ROOT]
        self.settler = Settler(quiet_s=3, is_open_elsewhere=lambda _: False)
        self.intake = IntakeQueue(
            lambda: self.roots, self.scanner, self.settler, self.journal, self.clock, self.in_flight, self.most
        )  # type: ignore[arg-type]

    def seen(self, *wakeups: DirtyFolder | Signal) -> list[str]:
        """Return the names of the photos that have settled."""
        return [snapshot.place.relative.name for snapshot in self.intake.settled(wakeups)]


def test_a_photo_settles_without_another_event() -> None:
    """A file that has been quiet for long enough is checked again, with or without a wake-up."""
    house = House()
    assert house.seen(DirtyFolder(ROOT, ROOT)) == []

    house.clock.advance(3)

    assert house.seen() == ["a.jpg"]
    assert house.settler.waiting == []


def test_a_known_photo_is_not_waited_for() -> None:
    """A photo that was judged while it was waiting leaves the list, or culld would check it for ever."""
    house = House()
    house.seen(DirtyFolder(ROOT, ROOT))
    house.journal.known.add(factories.place())
    house.clock.advance(3)

    assert house.seen() == []
    assert house.settler.waiting == []


def test_a_photo_in_flight_is_not_settled_twice() -> None:
    """An event about a photo that already waits for its batch starts nothing."""
    house = House()
    house.in_flight.add(factories.place())

    assert house.seen(DirtyFolder(ROOT, ROOT)) == []
    assert house.settler.waiting == []


def test_a_photo_that_vanishes_is_forgotten() -> None:
    """A temporary file that is renamed away leaves no trace."""
    house = House()
    house.seen(DirtyFolder(ROOT, ROOT))
    house.scanner.files.clear()
    house.clock.advance(3)

    assert house.seen() == []
    assert house.settler.waiting == []


def test_a_rescan_replaces_all_other_wakeups() -> None:
    """When everything is scanned, single folders are not scanned as well."""
    house = House()

    house.seen(Signal.RESCAN, DirtyFolder(ROOT, ROOT / "x"))

    assert house.scanner.asked == [(ROOT, None, True)]


def test_a_wakeup_outside_its_root_is_ignored() -> None:
    """A move out of the root may name a folder elsewhere."""
    house = House()

    house.seen(DirtyFolder(ROOT, Path("/elsewhere")))

    assert house.scanner.asked == []


@pytest.mark.parametrize("wakeup", [Signal.RESCAN, DirtyFolder(ROOT, ROOT)])
def test_a_root_that_is_away_is_not_scanned(wakeup: DirtyFolder | Signal) -> None:
    """The folder at its path is not the root."""
    house = House()
    house.roots.clear()

    house.seen(wakeup)

    assert house.scanner.asked == []


def test_a_folder_that_takes_long_rests_and_is_not_forgotten() -> None:
    """Each batch that is moved out of a folder of 100,000 photos causes a wake-up for it."""
    house = House()
    house.scanner.cost = lambda: house.clock.advance(0.5)

    for _ in range(3):
        house.seen(DirtyFolder(ROOT, ROOT))
    assert house.scanner.asked == [(ROOT, ROOT, False)]
    assert house.intake.next_scan_at == house.clock.monotonic() + 10

    house.clock.advance(10)
    house.seen()
    assert len(house.scanner.asked) == 2
    assert house.intake.next_scan_at == float("inf")


def test_no_more_photos_wait_than_fit_into_memory() -> None:
    """The others are found by another scan, once half of the first ones are judged."""
    house = House(most=4)
    house.scanner.files = {factories.place(f"{number}.jpg"): factories.stamp() for number in range(10)}

    house.seen(Signal.RESCAN)
    house.seen(DirtyFolder(ROOT, ROOT))
    assert (len(house.settler), house.intake.next_scan_at, len(house.scanner.asked)) == (4, float("inf"), 1)

    judged: list[str] = []
    for _ in range(9):
        house.clock.advance(3)
        names = house.seen()
        judged += names
        for name in names:
            del house.scanner.files[factories.place(name)]
    assert not house.intake.is_full
    assert sorted(judged) == [f"{number}.jpg" for number in range(10)]
