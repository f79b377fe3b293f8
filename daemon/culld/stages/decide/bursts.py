"""The best frame of a burst: the sharpest one, then the best exposed one; pure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.records import Defect, Scores, Series, SeriesKind, display_path
from culld.stages.decide.thresholds import rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culld.records import Assessment, Policy, RootedPath, Stack, Subject


MOST_COMPARED: Final = 60
"""One request measures all frames of a burst, a quarter of a second each at 24 megapixels, within `limits.time`."""


def best_of(series: Series, rules: Policy) -> Assessment:
    """Return the best frame of a burst: not rejected before rejected, then by sharpness, exposure, and time.

    Frames that tie in sharpness have the same one. Where it was not measured for all of them, the probability of blur
    stands in for it.
    """
    known = _sharpness(series)
    return min(
        series.members,
        key=lambda frame: (bool(rejected(frame, rules)), -known.get(_place(frame), 0.0), *_order(frame, known)),
    )


def lead_text(series: Series, best: Assessment) -> str:
    """Return by how much the best frame is sharper than the next one, as a clause; empty if that is not known."""
    known = _sharpness(series)
    others = [frame for frame in series.members if _place(frame) != _place(best)]
    if not known or not others:
        return ""
    value, following = known[_place(best)], max(others, key=lambda frame: known[_place(frame)])
    next_value, name = known[_place(following)], display_path(Path(_place(following).relative.name))
    figures = f"sharpness {value:.3g}, {name} {next_value:.3g}"
    if value > next_value:
        return f", the sharpest ({figures})"
    if value < next_value:
        return f" ({figures}, rejected)"
    is_lighter = _order(best, known)[0] < _order(following, known)[0]
    return f", as sharp as {name}{' and better exposed' if is_lighter else ''} ({figures})"


def needs_sharpness(stack: Stack, rules: Policy) -> bool:
    """Return whether the sharpness of a burst can decide if this stack, which would be rejected alone, is its best.

    A frame past a threshold is the best only of a burst of such frames. A burst of many frames is not measured.
    """
    series = stack.series
    if series is None or series.kind is not SeriesKind.BURST or not rules.protect.bursts:
        return False
    own = {member.photo.place for member in stack.members}
    good = [_place(frame) for frame in series.members if not rejected(frame, rules)]
    return len(series.members) <= MOST_COMPARED and (not good or not own.isdisjoint(good))


def members_of(series: Series) -> tuple[RootedPath, ...]:
    """Return the places of the frames, which identify a series."""
    return tuple(_place(frame) for frame in series.members)


def with_subjects(stack: Stack, subjects: Sequence[Subject]) -> Stack:
    """Return a stack of a burst with the measured subjects of the frames, in the order of the series."""
    if stack.series is None:
        return stack
    found = dict(zip(members_of(stack.series), subjects, strict=True))
    frames = tuple(replace(frame, subject=found[_place(frame)]) for frame in stack.series.members)
    primary = replace(stack.primary, subject=found.get(_place(stack.primary), stack.primary.subject))
    return replace(stack, primary=primary, series=Series(stack.series.kind, frames))


def _order(frame: Assessment, known: dict[RootedPath, float]) -> tuple[float, float, float]:
    """Return exposure, blur and time of a frame; without a sharpness, blur comes first."""
    taken = frame.photo.camera.taken_at
    at_s = 0.0 if taken is None else taken.timestamp()
    if not isinstance(frame.result, Scores):
        return float(len(Defect)), 1.0, at_s
    exposure, blur = frame.result.under + frame.result.over, frame.result.blur
    return (exposure, blur, at_s) if known else (blur + exposure + frame.result.of(Defect.FOCUS), 0.0, at_s)


def _sharpness(series: Series | None) -> dict[RootedPath, float]:
    """Return the sharpness of each frame; nothing unless it is known for all of them."""
    frames = () if series is None else series.members
    known = {
        _place(frame): frame.subject.sharpness
        for frame in frames
        if frame.subject is not None and frame.subject.sharpness is not None
    }
    return known if len(known) == len(frames) else {}


def _place(frame: Assessment) -> RootedPath:
    return frame.photo.place
