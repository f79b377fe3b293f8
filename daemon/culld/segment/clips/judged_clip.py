"""The judgement of the file of a clip: it is decoded once, frame by frame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, Final

from culld.imaging.clip_reader import open_clip
from culld.records.frame import WIDTH
from culld.segment.clips.judge import judge
from culld.segment.clips.meter import ClipMeter

if TYPE_CHECKING:
    from culld.imaging.image_file import DecodeLimits
    from culld.records.clips import ClipFacts, ClipJudgement
    from culld.segment.clips.meter import Scorer

LONGEST: Final = WIDTH * 3 // 2
"""The longer side of the pictures of samples in pixels: larger than the frame of the network, as for photos."""

_NEAR_S: Final = 1.0


def judged_clip(stream: BinaryIO, score: Scorer, limits: DecodeLimits) -> ClipJudgement:
    """Judge the clip in a seekable stream; `score` gives the scores of an upright picture, uint8 RGB.

    Raises what `open_clip` and `Clip.looks` raise.
    """
    with open_clip(stream, limits) as clip:
        meter, last = ClipMeter(clip.facts, score), 0.0
        for look in clip.looks(LONGEST):
            meter.take(look)
            last = look.at
        return judge(_measured(clip.facts, last), meter.samples())


def _measured(facts: ClipFacts, last: float) -> ClipFacts:
    """Return the facts with the duration up to the `last` frame, in seconds, where the header gives another one."""
    seconds = last + 1 / facts.rate
    return facts if abs(facts.seconds - seconds) <= max(_NEAR_S, seconds / 20) else replace(facts, seconds=seconds)
