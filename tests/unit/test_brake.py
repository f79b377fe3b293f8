"""The brake as a pure decision over the last photos."""

from __future__ import annotations

import pytest

from culld.records import BrakeLimit
from culld.stages.decide.brake import exceeds_limit

LIMIT = BrakeLimit(0.6, 200)


@pytest.mark.parametrize(
    ("judged", "moved", "stops"),
    [
        (0, 0, False),
        (5, 5, False),
        (12, 12, False),
        (13, 13, True),
        (20, 12, False),
        (20, 13, True),
        (100, 60, False),
        (100, 61, True),
        (200, 120, False),
        (200, 121, True),
    ],
)
def test_the_share_is_one_of_what_was_judged_from_twenty_photos_on(
    judged: int,
    moved: int,
    stops: bool,  # noqa: FBT001 (a column of the table)
) -> None:
    """A drop of a few rejects alone is moved; of fewer than 20 photos, those that are missing count as kept."""
    assert bool(exceeds_limit([True] * moved + [False] * (judged - moved), LIMIT)) is stops


def test_a_window_smaller_than_twenty_photos_is_counted_from_its_own_size_on() -> None:
    """`window: 10` with a share of 0.3."""
    small = BrakeLimit(0.3, 10)

    assert exceeds_limit([True] * 3, small) == ""
    assert exceeds_limit([True] * 4, small).startswith(
        "4 of the last 4 photos were to be moved, more than the share 0.3"
    )


def test_without_a_limit_nothing_stops() -> None:
    """`max_share: never`."""
    assert exceeds_limit([True] * 500, None) == ""
