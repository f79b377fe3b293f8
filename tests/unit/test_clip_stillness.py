"""Black pictures, and pictures that stand still."""

from __future__ import annotations

import numpy as np
import pytest

from culld.records.clips import Transfer
from culld.segment.clips.stillness import change, is_black, still_ranges

SHAPE = (90, 160)


def test_a_covered_lens_is_black_and_a_night_is_not() -> None:
    """Few lamps make the difference; noise does not."""
    rng = np.random.default_rng(1)
    covered = np.clip(rng.normal(6, 3, SHAPE), 0, 255).astype(np.uint8)
    night = covered.copy()
    night[40:44, 60:80] = 230

    assert is_black(covered, Transfer.SDR)
    assert not is_black(night, Transfer.SDR)


def test_black_of_a_log_profile_is_brighter() -> None:
    """S-Log3 puts it at 9 % of the range."""
    lifted = np.full(SHAPE, 36, np.uint8)

    assert is_black(lifted, Transfer.LOG)
    assert not is_black(lifted, Transfer.SDR)


def test_only_two_seconds_without_a_change_are_frozen() -> None:
    """Up to the last frame before the next change."""
    times = [number / 10 for number in range(60)]
    changes = [1.0] * 10 + [0.0] * 15 + [1.0] * 10 + [0.0] * 25

    assert still_ranges(times, changes) == [(pytest.approx(3.4), pytest.approx(5.9))]


def test_a_still_range_ends_at_the_frame_before_the_change() -> None:
    """It starts at the frame that is repeated first."""
    times = [number / 10 for number in range(50)]
    changes = [0.0] * 31 + [5.0] * 19

    assert still_ranges(times, changes) == [(0.0, pytest.approx(3.0))]


def test_nothing_stands_still_without_frames() -> None:
    """Nor with one."""
    assert still_ranges([], []) == []
    assert still_ranges([0.0], [0.0]) == []


def test_the_change_is_a_mean_of_levels() -> None:
    """In both directions; lines of another shape are a change."""
    dark, light = np.full((4, 8), 10, np.uint8), np.full((4, 8), 13, np.uint8)

    assert change(dark, light) == change(light, dark) == 3.0
    assert change(dark, light[:2]) == 255.0
