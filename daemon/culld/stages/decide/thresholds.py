"""The defects of a photo that reach a threshold, and the threshold for a wanted precision; pure."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from culld.errors import ConfigError
from culld.records import Defect, Scores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culld.records import Assessment, OperatingPoint, Photo, Policy


def invalid_scores(scores: Scores) -> list[Defect]:
    """Return the defects with a score that is not a probability."""
    return [defect for defect in scores.known if not 0 <= scores.of(defect) <= 1]


def is_night(photo: Photo, rules: Policy) -> bool:
    """Return whether the camera was set for a dark scene: a dark photo is then not under-exposed."""
    light, limit = photo.camera.exposure.light_value, rules.protect.night_below
    return light is not None and limit is not None and light < limit


def is_small(assessment: Assessment, rules: Policy) -> bool:
    """Return whether a photo is too small to judge; one whose size is not known is not."""
    longest, limit = assessment.longest, rules.protect.smaller_than
    return longest is not None and limit is not None and longest < limit


def tagged(assessment: Assessment, rules: Policy) -> tuple[Defect, ...]:
    """Return the defects whose probability is at least their tag threshold, in the order of `Defect`."""
    return _reaching({defect: rules.of(defect).tag for defect in Defect}, assessment, rules)


def rejected(assessment: Assessment, rules: Policy) -> tuple[Defect, ...]:
    """Return the defects whose probability is at least their reject threshold, in the order of `Defect`."""
    return _reaching({defect: rules.of(defect).reject for defect in Defect}, assessment, rules)


def _reaching(limits: dict[Defect, float | None], assessment: Assessment, rules: Policy) -> tuple[Defect, ...]:
    scores = assessment.result
    if not isinstance(scores, Scores) or invalid_scores(scores):
        return ()
    night = is_night(assessment.photo, rules)
    return tuple(
        defect
        for defect, limit in limits.items()
        if limit is not None
        and defect in scores.known
        and scores.of(defect) >= limit
        and not (night and defect is Defect.UNDER)
    )


def format_probability(probability: float, limit: float = 0.01) -> str:
    """Return the probability with two decimals, or as many as the limit has.

    It is truncated, not rounded: 0.9699 shown as 0.97 would seem to reach a threshold of 0.97.
    """
    places = max(2, -int(Decimal(repr(limit)).as_tuple().exponent))
    cut = Decimal(repr(float(probability))).quantize(Decimal(1).scaleb(-places), ROUND_FLOOR)
    return f"{cut:f}"


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
