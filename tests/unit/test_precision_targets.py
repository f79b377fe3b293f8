"""Thresholds by their meaning."""

from __future__ import annotations

import pytest

from culld.errors import ConfigError
from culld.records import Defect, OperatingPoint
from culld.stages.decide.precision_targets import threshold_for

CURVES = {
    Defect.BLUR: (OperatingPoint(0.5, 0.9, 0.99), OperatingPoint(0.8, 0.96, 0.97), OperatingPoint(0.97, 0.995, 0.8))
}


@pytest.mark.parametrize(("precision", "threshold"), [(0.5, 0.5), (0.9, 0.5), (0.91, 0.8), (0.995, 0.97)])
def test_the_lowest_threshold_that_is_precise_enough_is_taken(precision: float, threshold: float) -> None:
    """A lower one finds more of the defective photos."""
    assert threshold == threshold_for(CURVES, Defect.BLUR, precision)


def test_a_dip_above_a_threshold_rules_it_out() -> None:
    """Whatever the card says below: from the threshold on, every point must be precise enough."""
    dipping = {
        Defect.BLUR: (OperatingPoint(0.5, 0.99, 0.9), OperatingPoint(0.8, 0.9, 0.7), OperatingPoint(0.9, 0.99, 0.5))
    }

    assert threshold_for(dipping, Defect.BLUR, 0.95) == 0.9


def test_a_precision_that_is_never_reached_says_how_far_it_goes() -> None:
    """The person can then choose."""
    with pytest.raises(ConfigError, match=r"policy\.defects\.blur\.reject: .* 0\.995 at most"):
        threshold_for(CURVES, Defect.BLUR, 0.999)


def test_a_card_without_a_curve_says_what_to_write_instead() -> None:
    """Models of one's own may have none."""
    with pytest.raises(ConfigError, match=r"policy\.defects\.under\.reject: .* no precision curve"):
        threshold_for(CURVES, Defect.UNDER, 0.9)
