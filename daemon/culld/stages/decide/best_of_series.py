"""Which shot of a series is kept if only one is kept: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.records import Defect, Scores
from culld.stages.decide.thresholds import rejected

if TYPE_CHECKING:
    from culld.records import Assessment, Policy, Series


def best_of(series: Series, rules: Policy) -> Assessment:
    """The shot of a series to keep if only one is kept: one that nothing rejects, then the one with least defects."""
    return min(series.members, key=lambda shot: (bool(rejected(shot, rules)), _badness(shot), _taken_at_s(shot)))


def _badness(shot: Assessment) -> float:
    """The sum of the probabilities of all defects; a shot without scores counts as one that has them all."""
    scores = shot.result
    return sum(scores.of(defect) for defect in Defect) if isinstance(scores, Scores) else float(len(Defect))


def _taken_at_s(shot: Assessment) -> float:
    taken = shot.photo.camera.taken_at
    return 0.0 if taken is None else taken.timestamp()
