"""The journal forgets what nothing hangs on, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import factories
import rejects
from culld.disk.beneath import stamp_of
from culld.journal.history import Filter
from culld.journal.store import SqliteJournal
from culld.records import Outcome, Place, Sighting, Verdict
from culld.service.tidying import Tidying
from fakes import FakeClock

DAY = 24 * 3600
YEAR = timedelta(days=365)


class House:
    """A watched folder, and a journal in which things happened at noon."""

    def __init__(self, folder: Path) -> None:
        """Nothing has happened yet."""
        self.root = folder / "photos"
        self.clock = FakeClock()
        self.journal = SqliteJournal.open(folder / "journal.sqlite3", self.clock)

    def judge(
        self, name: str, verdict: Verdict = Verdict.KEEP, *, fault: str | None = None, done: bool = True
    ) -> Place:
        """One photo's way through the journal."""
        place = rejects.put(Place(self.root, Path(name)), name.encode())
        plan = replace(factories.plan(rejects.stack(place), verdict), id=name, made_at=self.clock.now())
        now = Place(Path("/quarantine"), Path(name)) if verdict is Verdict.QUARANTINE else place
        with self.journal.intend([plan]) as intent:
            if done:
                intent.close(Outcome(plan, now, plan.photo.stamp, plan.photo.digest, fault=fault))
        return place

    def knows(self, place: Place) -> bool:
        """Whether a file that is there would be passed over."""
        stamp = stamp_of(place)
        assert stamp is not None
        return not list(self.journal.unknown([Sighting(place, stamp)]))

    def tidy(self, history: timedelta | None = YEAR) -> list[str]:
        """Tidy up; gives the plans that are still known."""
        Tidying(self.journal, self.clock, history).tidy([self.root], lambda: None)
        return sorted(decision.plan for decision in self.journal.decisions(Filter(limit=5000)))


@pytest.fixture
def house(tmp_path: Path) -> House:
    """An empty house."""
    return House(tmp_path)


def test_old_decisions_are_forgotten_and_young_ones_kept(house: House) -> None:
    """More of them than go at once; what was judged is not judged again."""
    old = [house.judge(f"{number:04}.jpg") for number in range(1001)]
    house.clock.advance(366 * DAY)
    house.judge("young.jpg")

    assert house.tidy() == ["young.jpg"]
    assert all(house.knows(place) for place in old)


def test_what_things_hang_on_is_kept(house: House) -> None:
    """A photo in quarantine, and a plan that is not ended."""
    house.judge("kept.jpg")
    house.judge("failed.jpg", fault="the disk is full")
    house.judge("rejected.jpg", Verdict.QUARANTINE)
    house.judge("open.jpg", Verdict.QUARANTINE, done=False)
    back = house.judge("restored.jpg", Verdict.QUARANTINE)
    house.journal.note_restored("restored.jpg", ["digest"], back, stamp_of(back))
    house.clock.advance(366 * DAY)

    assert house.tidy() == ["open.jpg", "rejected.jpg"]
    assert house.journal.is_restored("digest")
    assert house.knows(back)


def test_forever_forgets_nothing(house: House) -> None:
    """For people who want the whole past."""
    house.judge("a.jpg")
    house.clock.advance(366 * 100 * DAY)

    assert house.tidy(None) == ["a.jpg"]


def test_files_that_are_gone_are_forgotten(house: House) -> None:
    """Those that are there are not."""
    places = [house.judge(name) for name in ("a.jpg", "c.jpg", "sub/b.jpg")]
    places[1].path.unlink()

    house.tidy()

    assert house.journal.judged_files(house.root, None) == [places[0], places[2]]


def test_it_is_done_once_a_day(house: House) -> None:
    """Also by a computer that never runs for a whole day."""
    first = Tidying(house.journal, house.clock, YEAR)
    assert first.is_due()
    first.tidy([], lambda: None)
    house.clock.advance(DAY - 60)
    assert not first.is_due()

    second = Tidying(house.journal, house.clock, YEAR)
    assert not second.is_due()
    house.clock.advance(3660)
    assert second.is_due()
