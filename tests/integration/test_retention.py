"""Retention: the journal deletes old rows that are no longer needed, and no others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from culld.app.decision_ages import DecisionAges
from culld.app.housekeeping import Housekeeping
from culld.files.open_beneath import stamp_of
from culld.journal.store import SqliteJournal
from culld.records import FileSnapshot, Outcome, RootedPath, Verdict
from harness import factories, quarantined
from harness.fakes import FakeClock

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
    ) -> RootedPath:
        """Record one photo as judged and moved or kept."""
        place = quarantined.put(RootedPath(self.root, Path(name)), name.encode())
        plan = replace(factories.plan(quarantined.stack(place), verdict), id=name, made_at=self.clock.now())
        now = RootedPath(Path("/quarantine"), Path(name)) if verdict is Verdict.QUARANTINE else place
        with self.journal.intend([plan]) as intent:
            if done:
                intent.close(Outcome(plan, now, plan.photo.stamp, plan.photo.digest, fault=fault))
        return place

    def knows(self, place: RootedPath) -> bool:
        """Return whether a file that is there would be passed over."""
        stamp = stamp_of(place)
        assert stamp is not None
        return not list(self.journal.unknown([FileSnapshot(place, stamp)]))

    def wait(self, days: float) -> None:
        """Let time pass; read the clocks before and after."""
        ages = DecisionAges(self.journal, self.clock)
        ages.observe()
        self.clock.advance(days * DAY)
        ages.observe()

    def tidy(self, history: timedelta | None = YEAR) -> list[str]:
        """Tidy up; gives the plans that are still known."""
        Housekeeping(self.journal, self.clock, DecisionAges(self.journal, self.clock), history).run(
            [self.root], lambda: None
        )
        return sorted(decision.plan for decision in self.journal.decisions(limit=5000))


@pytest.fixture
def house(tmp_path: Path) -> House:
    """An empty house."""
    return House(tmp_path)


def test_old_decisions_are_forgotten_and_young_ones_kept(house: House) -> None:
    """More of them than are deleted at once; a judged photo is not judged again."""
    old = [house.judge(f"{number:04}.jpg") for number in range(1001)]
    house.wait(366)
    house.judge("young.jpg")

    assert house.tidy() == ["young.jpg"]
    assert all(house.knows(place) for place in old)


def test_decisions_that_are_still_needed_are_kept(house: House) -> None:
    """A photo in quarantine, and a plan that is not ended."""
    house.judge("kept.jpg")
    house.judge("failed.jpg", fault="the disk is full")
    house.judge("rejected.jpg", Verdict.QUARANTINE)
    house.judge("open.jpg", Verdict.QUARANTINE, done=False)
    back = house.judge("restored.jpg", Verdict.QUARANTINE)
    house.journal.note_restored("restored.jpg", ["digest"], back, stamp_of(back))
    house.judge("newest.jpg")
    house.wait(366)

    assert house.tidy() == ["newest.jpg", "open.jpg", "rejected.jpg"]
    assert house.journal.is_restored("digest")
    assert house.knows(back)


def test_forever_forgets_nothing(house: House) -> None:
    """For users who want the whole history."""
    house.judge("a.jpg")
    house.wait(366 * 100)

    assert house.tidy(None) == ["a.jpg"]


@pytest.mark.parametrize("years", [2, -2])
def test_a_clock_that_was_wrong_makes_nothing_old(house: House, years: int) -> None:
    """The bytes that tags replaced are kept: ahead now, or behind when the photo was judged and right now."""
    house.clock.set(min(years, 0) * YEAR)
    house.judge("tagged.jpg")
    house.judge("newest.jpg")
    house.wait(2)
    house.clock.set(abs(years) * YEAR)

    assert house.tidy() == ["newest.jpg", "tagged.jpg"]
    house.wait(30)
    assert house.tidy() == ["newest.jpg", "tagged.jpg"]


def test_the_number_of_a_forgotten_decision_is_not_given_again(house: House) -> None:
    """The age of a decision is known by its number."""
    house.judge("a.jpg")
    house.judge("b.jpg")
    number = house.journal.number_of("b.jpg")
    house.wait(400)
    assert house.tidy() == ["b.jpg"]

    house.judge("c.jpg")

    assert number is not None
    assert (house.journal.number_of("a.jpg"), house.journal.number_of("c.jpg")) == (None, number + 1)


def test_files_that_are_gone_are_forgotten(house: House) -> None:
    """Those that are there are not."""
    places = [house.judge(name) for name in ("a.jpg", "c.jpg", "sub/b.jpg")]
    places[1].path.unlink()

    house.tidy()

    assert house.journal.judged_files(house.root, None) == [places[0], places[2]]


def test_it_is_done_once_a_day(house: House) -> None:
    """Also by a computer that never runs for a whole day."""
    first = Housekeeping(house.journal, house.clock, DecisionAges(house.journal, house.clock), YEAR)
    assert first.is_due()
    first.run([], lambda: None)
    house.clock.advance(DAY - 60)
    assert not first.is_due()

    second = Housekeeping(house.journal, house.clock, DecisionAges(house.journal, house.clock), YEAR)
    assert not second.is_due()
    house.clock.advance(3660)
    assert second.is_due()
