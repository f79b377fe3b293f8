"""The options that take a moment: durations and dates."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta

import pytest

from culld.cli.options import parse_since


@pytest.mark.parametrize(("text", "ago"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("7d", 604800)])
def test_a_duration_means_so_long_ago(text: str, ago: int) -> None:
    """Seconds, minutes, hours and days."""
    before = datetime.now(UTC) - timedelta(seconds=ago)
    found = parse_since(text)

    assert before <= found <= datetime.now(UTC) - timedelta(seconds=ago)


def test_a_date_is_local_and_aware() -> None:
    """A date without a zone is in the local zone."""
    assert parse_since("2026-05-01") == datetime(2026, 5, 1).astimezone()
    assert parse_since("2026-05-01T18:30+02:00") == datetime(2026, 5, 1, 16, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["10000000d", "9" * 40 + "s", "9" * 5000 + "h", "0001-01-01", "9999-12-31T23:59-14:00"]
)
def test_what_is_outside_of_the_calendar_is_refused(text: str) -> None:
    """A number of days before the year 1 cannot be a date."""
    with pytest.raises(argparse.ArgumentTypeError, match="write 30m, 2h, 7d"):
        parse_since(text)


@pytest.mark.parametrize("text", ["", "yesterday", "2w", "-2h", "2026-13-01"])
def test_other_texts_are_refused_with_examples(text: str) -> None:
    """The message shows how to write it."""
    with pytest.raises(argparse.ArgumentTypeError, match="write 30m, 2h, 7d"):
        parse_since(text)
