"""Elapsed time, counted by clocks that must agree."""

from __future__ import annotations

import json
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from culld.app.elapsed import Elapsed, Reading, from_json, to_json
from harness import factories

DAY = timedelta(days=1)


class Machine:
    """A machine with clocks that run, are set, and restart; and the time counted on it."""

    def __init__(self) -> None:
        """Started a moment ago, at noon."""
        self.reading = Reading(factories.NOON, "1", 0.0)
        self.elapsed = Elapsed.begin(self.reading)

    def run(self, time: timedelta) -> Machine:
        """Run for a time, and read the clocks."""
        now = self.reading
        return self._see(Reading(now.wall + time, now.boot, now.uptime_s + time.total_seconds()))

    def set(self, by: timedelta) -> Machine:
        """Set the wall clock, and read the clocks."""
        return self._see(Reading(self.reading.wall + by, self.reading.boot, self.reading.uptime_s))

    def off(self, time: timedelta) -> Machine:
        """Be switched off for a time by the wall clock, which may be wrong; read the clocks after the start."""
        return self._see(Reading(self.reading.wall + time, self.reading.boot + "1", 0.0))

    def _see(self, reading: Reading) -> Machine:
        self.reading, self.elapsed = reading, self.elapsed.at(reading)
        return self

    @property
    def found(self) -> tuple[timedelta, bool]:
        """The counted time, and whether the clock is in doubt."""
        return self.elapsed.counted, bool(self.elapsed.why)


def test_a_machine_that_runs_counts_all_of_it() -> None:
    """Also where culld itself did not run, or the machine slept."""
    assert Machine().run(100 * DAY).found == (100 * DAY, False)


def test_a_machine_that_is_off_counts_a_week_at_most() -> None:
    """Up to a month is believed, not more; two months are reported, and count nothing."""
    assert Machine().off(DAY).found == (DAY, False)
    assert Machine().off(20 * DAY).found == (7 * DAY, False)
    assert Machine().off(60 * DAY).found == (timedelta(), True)


def test_a_clock_that_is_set_counts_nothing() -> None:
    """Within a month forward or a day back it is believed, as of a machine that was held; beyond it is in doubt."""
    assert Machine().set(30 * DAY).found == (timedelta(), False)
    assert Machine().set(-DAY / 2).found == (timedelta(), False)
    assert Machine().set(365 * DAY).found == (timedelta(), True)
    assert Machine().set(-365 * DAY).found == (timedelta(), True)


def test_the_doubt_ends_when_the_clock_is_right_again() -> None:
    """At once, though setting it right is a large step as well; also over a restart."""
    assert Machine().set(365 * DAY).set(-365 * DAY).found == (timedelta(), False)
    assert Machine().off(-9000 * DAY).run(DAY / 24).set(9000 * DAY).found == (DAY / 24, False)
    assert Machine().set(365 * DAY).off(-364 * DAY).found == (timedelta(), False)


def test_the_doubt_ends_after_a_day_without_a_step() -> None:
    """Another step begins the day again; a day of short runs will do."""
    machine = Machine().off(60 * DAY).run(DAY * 0.9)
    assert machine.found[1]
    assert not machine.run(DAY * 0.2).found[1]
    assert Machine().set(400 * DAY).run(DAY * 0.9).set(400 * DAY).run(DAY * 0.2).found[1]
    assert not Machine().off(60 * DAY).off(DAY).found[1]


def test_a_battery_that_is_empty_at_each_start_counts_only_what_ran() -> None:
    """The clock begins in 1970, and is set by the network a little later."""
    machine = Machine()
    for _ in range(50):
        machine.off(-20000 * DAY).set(20000 * DAY).run(timedelta(hours=1))

    assert machine.found == (timedelta(hours=50), False)


def test_the_age_of_a_decision_is_that_of_the_first_mark_after_it() -> None:
    """Marks are a day apart."""
    machine = Machine()
    machine.elapsed = machine.elapsed.marked(5).marked(6)
    machine.run(DAY)
    machine.elapsed = machine.elapsed.marked(7)
    machine.run(29 * DAY)

    found = [machine.elapsed.last_of_age(days * DAY) for days in (31, 30, 29, 0)]
    assert found == [0, 5, 7, 7]


def test_old_marks_are_thinned_and_never_make_a_decision_older() -> None:
    """However long culld runs they are few, and none is late by more than a twentieth of its age."""
    machine = Machine()
    for day in range(2000):
        machine.elapsed = machine.elapsed.marked(day)
        machine.run(DAY)

    assert len(machine.elapsed.marks) < 200
    found = [machine.elapsed.last_of_age(age * DAY) for age in range(1, 1800)]
    assert all(2000 - 1.06 * age - 1 <= number <= 2000 - age for age, number in enumerate(found, start=1))


def test_the_state_is_kept_as_json() -> None:
    """With and without a doubt."""
    for machine in (Machine().run(DAY), Machine().set(400 * DAY).run(DAY / 3)):
        elapsed = machine.elapsed.marked(3)
        assert from_json(json.loads(json.dumps(to_json(elapsed)))) == elapsed


@given(st.lists(st.tuples(st.sampled_from(["run", "set", "off"]), st.integers(-1000, 1000)), max_size=20))
def test_what_is_counted_is_never_more_than_the_time_that_ran_and_a_week_for_each_restart(
    steps: list[tuple[str, int]],
) -> None:
    """Whatever is done to the wall clock."""
    machine, most = Machine(), timedelta()
    for step, days in steps:
        time = (abs(days) if step == "run" else days) * DAY
        getattr(machine, step)(time)
        most += {"run": time, "set": timedelta(), "off": 7 * DAY}[step]

    assert timedelta() <= machine.found[0] <= most
