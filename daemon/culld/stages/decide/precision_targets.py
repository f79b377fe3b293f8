"""Thresholds by their meaning: from a wanted precision to a number, by the curve on the model's card; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culld.records import Defect, OperatingPoint


def threshold_for(curves: Mapping[str, Sequence[OperatingPoint]], defect: Defect, precision: float) -> float:
    """The lowest threshold from which on the curve keeps at least this precision.

    Raises `ConfigError` if the card has no curve, or none of its thresholds is so precise.
    """
    key = f"policy.defects.{defect}.reject"
    curve = sorted(curves.get(defect, ()), key=lambda meaning: meaning.threshold, reverse=True)
    if not curve:
        raise ConfigError((f"{key}: the model's card has no precision curve; write a probability, such as 0.97",))
    found = None
    for meaning in curve:
        if meaning.precision < precision:
            break
        found = meaning.threshold
    if found is None:
        best = max(meaning.precision for meaning in curve)
        problem = f"{key}: the model reaches a precision of {best:g} at most; write that or less, or `never`"
        raise ConfigError((problem,))
    return found
