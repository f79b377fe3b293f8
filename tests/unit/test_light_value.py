"""The camera settings as evidence about a dark photo."""

from __future__ import annotations

import math

import pytest

from culld.records import Scores
from culld.stages.read.scoring import with_light_value

DARK = Scores(0.1, 0.8, 0.05)


def test_without_settings_the_scores_stay() -> None:
    """Chats and editors remove EXIF; such a photo is judged by its picture alone."""
    assert with_light_value(DARK, None) is DARK


def test_settings_for_a_night_make_a_dark_photo_less_likely_under_exposed() -> None:
    """At a light value of 3.7, the median of nights, 0.8 is no tag any more."""
    found = with_light_value(DARK, 3.7)

    assert found.under == pytest.approx(0.32, abs=0.01)
    assert (found.blur, found.over) == (DARK.blur, DARK.over)


def test_settings_for_daylight_add_a_little_and_never_more() -> None:
    """A low-key picture in the sun stays one."""
    assert with_light_value(DARK, 11).under == with_light_value(DARK, 20).under == pytest.approx(0.868, abs=0.001)


def test_a_darker_setting_never_raises_the_probability() -> None:
    """The probability rises with the light value from end to end."""
    found = [with_light_value(DARK, value / 2).under for value in range(-20, 50)]

    assert found == sorted(found)


@pytest.mark.parametrize("under", [0.0, 1.0, math.nan])
def test_a_probability_without_odds_stays(under: float) -> None:
    """A score that is no probability is left for the decision to refuse."""
    scores = Scores(0.0, under, 0.0)

    assert with_light_value(scores, 1.0) is scores
