"""The judgement of the file of a clip: it is decoded once, frame by frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

from culld.imaging.clip_reader import open_clip
from culld.records.frame import WIDTH
from culld.segment.clips.judge import judge
from culld.segment.clips.meter import ClipMeter

if TYPE_CHECKING:
    from culld.imaging.image_file import DecodeLimits
    from culld.records.clips import ClipJudgement
    from culld.segment.clips.meter import Scorer

LONGEST: Final = WIDTH * 3 // 2
"""The longer side of the pictures of samples in pixels: larger than the frame of the network, as for photos."""


def judged_clip(stream: BinaryIO, score: Scorer, limits: DecodeLimits) -> ClipJudgement:
    """Judge the clip in a seekable stream; `score` gives the scores of an upright picture, uint8 RGB.

    Raises what `open_clip` and `Clip.looks` raise.
    """
    with open_clip(stream, limits) as clip:
        meter = ClipMeter(clip.facts, score)
        for look in clip.looks(LONGEST):
            meter.take(look)
        return judge(clip.facts, meter.samples())
