"""The brake, with a real journal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

import factories
from culld.journal.store import SqliteJournal
from culld.records import BrakeLimit, Outcome, Stack, Verdict
from culld.service.braking import Braking, brake_of, resume
from fakes import FakeClock

RULES = replace(factories.rules(), brake=BrakeLimit(0.5, 10))


@dataclass
class House:
    """A journal, and what people were told."""

    journal: SqliteJournal
    clock: FakeClock
    policy: str = "policy-1"
    told: list[str] = field(default_factory=list)

    def braking(self) -> Braking:
        """The brake as a start of culld makes it."""
        return Braking(self.journal, lambda: self.policy, self.clock, self.told.append)

    def decide(self, count: int, verdict: Verdict) -> None:
        """Carry out decisions."""
        for number in range(count):
            stack = Stack(factories.assessment())
            plan = replace(
                factories.plan(stack, verdict), id=f"{self.clock.moment}-{number}", made_at=self.clock.moment
            )
            with self.journal.intend([plan]) as intent:
                intent.close(Outcome(plan, plan.photo.place, None, ""))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house where nothing was decided."""
    clock = FakeClock()
    with SqliteJournal.open(tmp_path / "journal.sqlite3", clock) as journal:
        yield House(journal, clock)


def test_more_than_the_share_stops_the_moves_and_tells_once(house: House) -> None:
    """The window slides: five of ten may go, the sixth may not, nor any after it."""
    braking = house.braking()
    verdicts = [braking.holds(RULES, moving) for moving in [True] * 5 + [False] * 8 + [True] * 9]

    assert [bool(why) for why in verdicts] == [False] * 18 + [True] * 4
    assert house.told == verdicts[18:19]
    assert "6 of the last 10 photos were to be moved, more than the share 0.5 that policy.brake allows" in house.told[0]
    assert brake_of(house.journal) == house.told[0]


def test_it_stays_on_over_a_restart(house: House) -> None:
    """A crash is no reason to go on."""
    braking = house.braking()
    for _ in range(6):
        braking.holds(RULES, True)

    assert house.braking().holds(RULES, False)


def test_the_window_is_that_of_the_journal_after_a_restart(house: House) -> None:
    """What was moved before the start counts."""
    house.decide(5, Verdict.QUARANTINE)

    assert house.braking().holds(RULES, True)


def test_a_person_lets_go_and_counting_begins_anew(house: House) -> None:
    """While the daemon runs."""
    braking = house.braking()
    assert not resume(house.journal, house.clock)
    for _ in range(6):
        braking.holds(RULES, True)
    house.decide(6, Verdict.QUARANTINE)
    house.clock.advance(1)

    assert resume(house.journal, house.clock)
    assert [bool(braking.holds(RULES, True)) for _ in range(6)] == [False] * 5 + [True]


def test_another_policy_lets_go(house: House) -> None:
    """It is what the brake asks for."""
    braking = house.braking()
    for _ in range(6):
        braking.holds(RULES, True)
    house.policy = "policy-2"

    assert not braking.holds(RULES, True)
    assert brake_of(house.journal) == ""


def test_without_a_limit_nothing_is_held(house: House) -> None:
    """`share: never`."""
    braking = house.braking()

    assert not any(braking.holds(factories.rules(), True) for _ in range(1000))
    assert json.loads(house.journal.notes().get("brake", ("{}", None))[0]) == {}
