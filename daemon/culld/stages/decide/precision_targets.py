"""The threshold for a wanted precision, from the precision curve of the model card; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culld.records import Defect, OperatingPoint


def threshold_for(curves: Mapping[str, Sequence[OperatingPoint]], defect: Defect, precision: float) -> float:
    """Return the lowest threshold at and above which every point of the curve has at least this precision (0..1).

    Raises ConfigError if the model card has no curve for the defect, or no threshold with this precision.
    """
    key = f"policy.defects.{defect}.reject"
    curve = sorted(curves.get(defect, ()), key=lambda point: point.threshold, reverse=True)
    if not curve:
        raise ConfigError((f"{key}: the model's card has no precision curve; write a probability, such as 0.97",))
    found = None
    for point in curve:
        if point.precision < precision:
            break
        found = point.threshold
    if found is None:
        best = max(point.precision for point in curve)
        problem = f"{key}: the model reaches a precision of {best:g} at most; write that or less, or `never`"
        raise ConfigError((problem,))
    return found
