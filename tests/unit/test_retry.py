"""The delays before something is tried again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from culld.retry import RetryPolicy, doubled_delay, recheck_delay, scan_delay_s


@pytest.mark.parametrize(
    ("age", "expected"), [(0, 60), (59, 1), (60, 240), (299, 1), (300, 1500), (1799, 1), (-86_400, 60)]
)
def test_a_young_file_is_looked_at_again_after_one_five_and_thirty_minutes(age: int, expected: int) -> None:
    """In seconds; a change in the future is one of now."""
    assert recheck_delay(timedelta(seconds=age)) == timedelta(seconds=expected)


def test_an_old_file_is_what_it_looks_like() -> None:
    """An archive has no use for patience."""
    assert recheck_delay(timedelta(minutes=30)) is None
    assert recheck_delay(timedelta(days=3000)) is None


@pytest.mark.parametrize(("failures", "expected"), [(1, 1), (2, 2), (5, 16), (6, 30), (7, 30), (5000, 30)])
def test_a_delay_doubles_up_to_its_longest(failures: int, expected: int) -> None:
    """In seconds, as for the starts of workers; a number of failures that overflows a delay is no error."""
    assert doubled_delay(timedelta(seconds=1), failures, timedelta(seconds=30)) == timedelta(seconds=expected)


def test_a_first_delay_above_the_longest_stays() -> None:
    """A photo that is too large is looked at daily, not hourly."""
    assert doubled_delay(timedelta(days=1), 4, timedelta(hours=1)) == timedelta(days=1)


@pytest.mark.parametrize(
    ("policy", "tries", "expected"),
    [
        (RetryPolicy("full", timedelta(minutes=1)), 1, 60),
        (RetryPolicy("full", timedelta(minutes=1)), 3, 240),
        (RetryPolicy("full", timedelta(minutes=1)), 900, 3600),
        (RetryPolicy("too large", timedelta(days=3)), 1, 86_400),
        (RetryPolicy("deferred", timedelta(seconds=15), steady=True), 9, 15),
        (RetryPolicy("deferred", timedelta(days=3), steady=True), 9, 86_400),
        (RetryPolicy("worker lost", timedelta(minutes=1), last=3), 2, 120),
    ],
)
def test_a_failed_photo_waits_longer_each_time_unless_its_policy_is_steady(
    policy: RetryPolicy, tries: int, expected: int
) -> None:
    """In seconds: up to an hour, and never more than a day."""
    assert policy.wait(tries) == timedelta(seconds=expected)


def test_after_the_last_try_there_is_no_other() -> None:
    """Until the file changes."""
    assert RetryPolicy("worker lost", timedelta(minutes=1), last=3).wait(3) is None


@pytest.mark.parametrize(("duration_s", "expected_s"), [(0.05, 1.0), (1.5, 30.0), (60.0, 30.0)])
def test_a_slow_folder_is_scanned_less_often(duration_s: float, expected_s: float) -> None:
    """Twenty times as long as its last scan took, up to half a minute."""
    assert scan_delay_s(duration_s) == expected_s
