"""The picture of a judged clip: its scores over time, their thresholds, and its longest good range."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw, ImageFont

from culld.segment.clips.judge import BLUR, OVER, SHAKE, UNDER, defects_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from culld.records.clips import ClipJudgement, ClipSample

    Colour = tuple[int, int, int]
    Point = tuple[float, float]

_WIDTH, _LEFT, _RIGHT, _TOP = 960, 130, 40, 50
_LANE, _GAP, _TEXT = 70, 14, 18
_STEPS_S: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
_MOST_STEPS: Final = 12
_GRID: Final = (210, 210, 210)
_GOOD: Final = (205, 236, 226)
_INK: Final = (40, 40, 40)


@dataclass(frozen=True, slots=True)
class _Lane:
    """One curve: its name, its value at a sample (0..1 over the height), its threshold, and its colour."""

    name: str
    value: Callable[[ClipSample], float | None]
    threshold: float
    colour: Colour


_LANES: Final = (
    _Lane("blur", lambda sample: sample.blur, BLUR, (213, 94, 0)),
    _Lane("under", lambda sample: sample.under, UNDER, (0, 114, 178)),
    _Lane("over", lambda sample: sample.over, OVER, (204, 121, 167)),
    _Lane("shake", lambda s: None if s.shake is None else min(1.0, s.shake / SHAKE / 2), 0.5, (0, 158, 115)),
    _Lane("black", lambda sample: float(sample.black), 0.5, (0, 0, 0)),
    _Lane("frozen", lambda sample: float(sample.frozen), 0.5, (86, 180, 233)),
)
"""Each height is that of probability 1; of shake it is twice the threshold. The palette is that of Okabe and Ito."""


def plot(judgement: ClipJudgement) -> bytes:
    """Return a PNG with a lane for each defect, from the start of the clip to its end, and the good range behind."""
    bottom = _TOP + len(_LANES) * (_LANE + _GAP)
    image = Image.new("RGB", (_WIDTH, bottom + 40), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(_TEXT)
    seconds = max(judgement.facts.seconds, judgement.samples[-1].at, 0.001)

    def across(at: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * at / seconds

    if judgement.good is not None:
        pen.rectangle((across(judgement.good[0]), _TOP, across(judgement.good[1]), bottom - _GAP), _GOOD)
    _draw_times(pen, font, across, seconds, bottom - _GAP)
    for number, lane in enumerate(_LANES):
        _draw_lane(pen, font, lane, judgement, across, _TOP + number * (_LANE + _GAP))
    pen.text((_LEFT, 14), f"{judgement.verdict}: {judgement.sentence}", _INK, font)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def _draw_times(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    across: Callable[[float], float],
    seconds: float,
    bottom: float,
) -> None:
    step = next((each for each in _STEPS_S if seconds / each <= _MOST_STEPS), seconds / _MOST_STEPS)
    for number in range(int(seconds / step) + 1):
        place = across(number * step)
        pen.line((place, _TOP, place, bottom), _GRID)
        pen.text((place - 8, bottom + 8), f"{number * step:g} s", _INK, font)


def _draw_lane(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    lane: _Lane,
    judgement: ClipJudgement,
    across: Callable[[float], float],
    top: float,
) -> None:
    bottom = top + _LANE
    pen.line((_LEFT, bottom, _WIDTH - _RIGHT, bottom), _INK)
    level = bottom - lane.threshold * _LANE
    pen.line((_LEFT, level, _WIDTH - _RIGHT, level), _GRID, 2)
    pen.text((12, top + _LANE / 2 - 10), lane.name, lane.colour, font)
    run: list[Point] = []
    for sample in judgement.samples:
        value = lane.value(sample)
        if value is None:
            _draw_run(pen, run, lane.colour)
            run = []
            continue
        point = across(sample.at), bottom - value * _LANE
        run.append(point)
        if lane.name in defects_of(sample):
            pen.ellipse((point[0] - 4, point[1] - 4, point[0] + 4, point[1] + 4), lane.colour)
    _draw_run(pen, run, lane.colour)
    if all(lane.value(sample) is None for sample in judgement.samples):
        pen.text((_LEFT + 10, top + _LANE / 2 - 10), "not judged", _INK, font)


def _draw_run(pen: ImageDraw.ImageDraw, run: list[Point], colour: Colour) -> None:
    if len(run) > 1:
        pen.line(run, colour, 3, "curve")
