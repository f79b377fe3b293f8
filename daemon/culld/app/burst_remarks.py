"""What is worse, and what is better, in one frame of a burst than in its best frame: words with their numbers; pure."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from culld.app.burst_faces import face_remarks
from culld.app.remark import Remark, Side
from culld.records import Defect, Scores
from culld.stages.decide.thresholds import format_probability, invalid_scores, rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culld.records import Assessment, Policy

LEAST_DIFFERENCE: Final = 0.1
"""Smaller differences of the probability of a defect between two frames of one scene are not worth a word."""
LEAST_PROBABILITY: Final = 0.25
"""Nor is a defect of which both probabilities are smaller."""
LEAST_BRIGHTNESS_EV: Final = 0.2
_A_LITTLE, _MUCH = 1.05, 1.5  # ratios of sharpness: a disk of 1 px makes 1.08 on a sharp photo
_SOFTER: Final = frozenset({"sharpness", "blur", "face focus"})
_SOFT: Final = 0.1  # 1/px: of edges wider than 10 px the scale tells little more


def remarks_on(frame: Assessment, best: Assessment, rules: Policy) -> tuple[Remark, ...]:
    """Return how a frame differs from the best one, what weighs most first; nothing if no recorded figure differs."""
    if not isinstance(frame.result, Scores):
        return (Remark("unreadable", Side.WORSE, f"it could not be read: {frame.result.reason}", "could not be read"),)
    if not isinstance(best.result, Scores) or invalid_scores(frame.result) or invalid_scores(best.result):
        return ()
    scores = frame.result, best.result
    rejects = list(_reject(frame, best, rules))
    others = [*_sharpness(frame, best), *face_remarks(frame, best), *_exposure(*scores), *_brightness(frame, best)]
    said = {remark.aspect for remark in rejects}
    found = rejects + [remark for remark in others if remark.aspect not in said]
    softer = {remark.aspect for remark in found if remark.side is Side.WORSE} & _SOFTER
    if softer:
        found += _motion(frame)
    if {"sharpness", "blur"} <= softer:  # the short line needs one of both
        found = [replace(remark, short="") if remark.aspect == "blur" else remark for remark in found]
    return tuple(found)


def _reject(frame: Assessment, best: Assessment, rules: Policy) -> Iterator[Remark]:
    """Yield that a frame is past a threshold that rejects it, where the best one is not."""
    bad = rejected(frame, rules)
    if not bad or rejected(best, rules):
        return
    value, other = (each.result.of(bad[0]) if isinstance(each.result, Scores) else 0.0 for each in (frame, best))
    figures = format_probability(value, rules.of(bad[0]).reject or 1.0), format_probability(other)
    text = f"{bad[0]} is past its reject threshold: {figures[0]} against {figures[1]} (policy.defects.{bad[0]}.reject)"
    yield Remark(bad[0], Side.WORSE, text, f"{bad[0]} {figures[0]} / {figures[1]}", value, other)


def _sharpness(frame: Assessment, best: Assessment) -> Iterator[Remark]:
    """Yield the difference in measured sharpness; where it was not measured, that of the probability of blur."""
    values = [None if each.subject is None else each.subject.sharpness for each in (frame, best)]
    match values:
        case [float(value), float(other)]:
            yield _measured(value, other)
        case _:
            yield from _blur(frame, best)


def _measured(value: float, other: float) -> Remark:
    if value == other:
        return Remark("sharpness", Side.NEUTRAL, f"as sharp ({value:.3g} 1/px)", "as sharp", value, other)
    shown, beside = f"{value:.3g}", f"{other:.3g}"
    if shown == beside:
        shown, beside = f"{value:.5g}", f"{other:.5g}"
    ratio = math.inf if min(value, other) <= 0 else max(value / other, other / value)
    how = "a little " if ratio < _A_LITTLE and max(value, other) >= _SOFT else "much " if ratio >= _MUCH else ""
    word, side = ("softer", Side.WORSE) if value < other else ("sharper", Side.BETTER)
    return Remark(
        "sharpness",
        side,
        f"{how}{word}: {shown} against {beside} 1/px",
        f"{how}{word} {shown} / {beside}",
        value,
        other,
    )


def _blur(frame: Assessment, best: Assessment) -> Iterator[Remark]:
    if isinstance(frame.result, Scores) and isinstance(best.result, Scores):
        words = "more likely blurred", "less likely blurred"
        yield from _probability(Defect.BLUR, words, "blur", (frame.result.blur, best.result.blur))


def _exposure(scores: Scores, best: Scores) -> Iterator[Remark]:
    """Yield the differences of the probabilities of under- and over-exposure."""
    for defect, word in ((Defect.UNDER, "under-exposed"), (Defect.OVER, "over-exposed")):
        words = f"more likely {word}", f"less likely {word}"
        yield from _probability(defect, words, word, (scores.of(defect), best.of(defect)))


def _probability(aspect: str, words: tuple[str, str], short: str, values: tuple[float, float]) -> Iterator[Remark]:
    """Yield the difference of two probabilities of a defect if it is large enough; `words` for more and less."""
    value, other = values
    if abs(value - other) < LEAST_DIFFERENCE or max(values) < LEAST_PROBABILITY:
        return
    shown, beside = format_probability(value), format_probability(other)
    is_worse = value > other
    yield Remark(
        aspect,
        Side.WORSE if is_worse else Side.BETTER,
        f"{words[0 if is_worse else 1]}: {shown} against {beside}",
        f"{short} {shown} / {beside}",
        value,
        other,
    )


def _brightness(frame: Assessment, best: Assessment) -> Iterator[Remark]:
    """Yield the difference in brightness: worse or better only where the probabilities of exposure say so too."""
    values = [None if each.subject is None else each.subject.brightness for each in (frame, best)]
    match values:
        case [float(value), float(other)] if abs(value - other) >= LEAST_BRIGHTNESS_EV:
            text = f"{abs(value - other):.1f} EV {'darker' if value < other else 'lighter'}"
            yield Remark("brightness", _side_of_light(frame, best, value - other), text, text, value, other)


def _side_of_light(frame: Assessment, best: Assessment, ev: float) -> Side:
    if not isinstance(frame.result, Scores) or not isinstance(best.result, Scores):
        return Side.NEUTRAL
    towards, away = (Defect.UNDER, Defect.OVER) if ev < 0 else (Defect.OVER, Defect.UNDER)
    if frame.result.of(towards) - best.result.of(towards) >= LEAST_DIFFERENCE:
        return Side.WORSE
    return Side.BETTER if best.result.of(away) - frame.result.of(away) >= LEAST_DIFFERENCE else Side.NEUTRAL


def _motion(frame: Assessment) -> Iterator[Remark]:
    """Yield that a softer frame was exposed for longer than one over its focal length in mm: a fact, and no cause."""
    time_s, focal_mm = frame.photo.camera.exposure.time_s, frame.photo.camera.focal_mm
    if time_s is None or focal_mm is None or time_s <= 1 / focal_mm:
        return
    shown = _time(time_s)
    text = f"{shown} at {focal_mm:.3g} mm is longer than 1/{focal_mm:.3g} s, so movement may be the reason"
    yield Remark("motion", Side.WORSE, text, f"{shown} at {focal_mm:.3g} mm", time_s, 1 / focal_mm)


def _time(seconds: float) -> str:
    """Return an exposure time as photographers write it: 1/250 s."""
    return f"{seconds:.2g} s" if seconds >= 0.4 else f"1/{1 / seconds:.0f} s"
