"""Arrivals: the files that `culld once` takes as complete."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from culld.records import FileSnapshot, RootedPath
from culld.stages.watch.intake import CompleteFiles
from culld.stages.watch.settle import Settler
from harness import factories, fakes

QUIET_S = 3.0


@dataclass
class House:
    """Files by name, each with the second of its last change before now; and those that a program holds open."""

    ages: dict[str, float]
    written: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    clock: fakes.FakeClock = field(default_factory=fakes.FakeClock)
    slept: int = 0

    def __post_init__(self) -> None:
        """Every file as it is seen first."""
        self.found = [self.seen(name, self.clock.now().timestamp() - age) for name, age in self.ages.items()]
        settler = Settler(QUIET_S, lambda place: str(place.relative) in self.written)
        self.arrivals = CompleteFiles(self, settler, self.clock, self.sleep)  # type: ignore[arg-type]

    def seen(self, name: str, second: float) -> FileSnapshot:
        """A file that was last changed then."""
        return FileSnapshot(factories.place(name), factories.stamp(mtime_ns=int(second * 1e9)))

    def find(self, place: RootedPath) -> FileSnapshot | None:
        """Return the file as the scanner finds it: it has not changed, unless it is gone."""
        if str(place.relative) in self.gone:
            return None
        return next(snapshot for snapshot in self.found if snapshot.place == place)

    def sleep(self, seconds: float) -> None:
        """Time passes, and with the second sleep a file may be closed."""
        self.clock.advance(seconds)
        self.slept += 1

    def complete(self) -> list[str]:
        """The complete files in order."""
        return [str(snapshot.place.relative) for snapshot in self.arrivals.complete(self.found)]


def test_old_files_are_complete_at_once() -> None:
    """An archive is not waited for."""
    house = House({"a.jpg": 10, "x/b.jpg": 10})

    assert house.complete() == ["a.jpg", "x/b.jpg"]
    assert house.slept == 0


def test_no_file_of_a_folder_goes_before_its_young_ones() -> None:
    """Half of a burst has just been written: the sharp frame may be in the other half. Other folders are judged."""
    house = House({"x/1.jpg": 10, "x/2.jpg": 0, "x/3.jpg": 1, "y/4.jpg": 10})

    assert house.complete() == ["y/4.jpg", "x/1.jpg", "x/2.jpg", "x/3.jpg"]
    assert house.arrivals.unfinished == 0


@pytest.mark.parametrize(("written", "gone", "unfinished"), [({"x/2.jpg"}, set(), 1), (set(), {"x/2.jpg"}, 0)])
def test_the_wait_has_an_end(written: set[str], gone: set[str], unfinished: int) -> None:
    """A file that is still being written is left for the next time; the others of its folder are not."""
    house = House({"x/1.jpg": 10, "x/2.jpg": 1}, written, gone)

    assert house.complete() == ["x/1.jpg"]
    assert house.arrivals.unfinished == unfinished
