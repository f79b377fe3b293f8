"""The schedule: calls at intervals, on a thread of its own."""

from __future__ import annotations

import logging
import queue
import threading
from datetime import timedelta

import pytest

from culld.system.scheduler import Scheduler

SOON = timedelta(milliseconds=10)


def test_a_call_comes_again_and_again_on_another_thread() -> None:
    """At each interval, until it is stopped."""
    calls: queue.SimpleQueue[threading.Thread] = queue.SimpleQueue()
    schedule = Scheduler()
    schedule.every(SOON, lambda: calls.put(threading.current_thread()), name="rescan")

    schedule.start()
    callers = [calls.get(timeout=10) for _ in range(3)]
    schedule.stop()

    assert threading.current_thread() not in callers
    assert not any(thread.is_alive() for thread in callers)


def test_nothing_is_called_before_the_first_interval_is_over() -> None:
    """The first scan is the service's own; the timer only repeats it."""
    calls: queue.SimpleQueue[str] = queue.SimpleQueue()
    schedule = Scheduler()
    schedule.every(timedelta(hours=1), lambda: calls.put("late"), name="late")
    schedule.every(SOON, lambda: calls.put("soon"), name="soon")

    schedule.start()
    first = [calls.get(timeout=10) for _ in range(3)]
    schedule.stop()

    assert first == ["soon", "soon", "soon"]


def test_the_same_name_replaces_the_call_while_it_runs() -> None:
    """A new configuration brings a new interval."""
    calls: queue.SimpleQueue[str] = queue.SimpleQueue()
    schedule = Scheduler()
    schedule.every(timedelta(hours=1), lambda: calls.put("old"), name="rescan")
    schedule.start()

    schedule.every(SOON, lambda: calls.put("new"), name="rescan")

    assert calls.get(timeout=10) == "new"
    schedule.stop()


def test_a_call_that_fails_comes_again(caplog: pytest.LogCaptureFixture) -> None:
    """One error costs one call, and it is logged."""
    tries: queue.SimpleQueue[int] = queue.SimpleQueue()

    def fail() -> None:
        tries.put(1)
        raise ZeroDivisionError

    schedule = Scheduler()
    schedule.every(SOON, fail, name="fails")

    with caplog.at_level(logging.ERROR, "apscheduler"):
        schedule.start()
        answers = [tries.get(timeout=10) for _ in range(2)]
        schedule.stop()

    assert answers == [1, 1]
    assert "ZeroDivisionError" in caplog.text


def test_stopping_what_never_started_does_nothing() -> None:
    """An orderly stop may come before the start."""
    schedule = Scheduler()

    schedule.stop()

    assert not schedule._scheduler.running


def test_late_calls_are_made_up_for_by_one() -> None:
    """After a suspend the call is neither dropped nor repeated for each interval that was missed."""
    schedule = Scheduler()
    schedule.every(SOON, lambda: None, name="rescan")
    schedule.start()

    [job] = schedule._scheduler.get_jobs()
    schedule.stop()

    assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, None)
