"""A clip, its samples over time, and what was judged of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Transfer(StrEnum):
    """How the levels of a clip encode light; exposure is judged only for SDR."""

    SDR = "sdr"
    HLG = "hlg"
    PQ = "pq"
    LOG = "log"


class ClipVerdict(StrEnum):
    """What to do with a clip: keep it, keep its good range, or look at it."""

    KEEP = "keep"
    TRIM = "trim"
    REVIEW = "review"


CLIP_DEFECTS: Final = ("blur", "under", "over", "shake", "black", "frozen")
"""The defects of a sample, and the keys of `ClipJudgement.shares`, which has `ANY_DEFECT` as well."""
ANY_DEFECT: Final = "any"


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """The facts about the picture of a clip.

    `width` and `height` are those of the upright frame in pixels; `rotation` (0, 90, 180, 270 degrees clockwise) turns
    the stored frame upright. `seconds` is the duration, `rate` the mean number of frames in a second, `frames` their
    number (None: the file does not give it). `codec` is the name of FFmpeg.
    """

    width: int
    height: int
    seconds: float
    frames: int | None
    rate: float
    rotation: int
    codec: str
    transfer: Transfer
    has_audio: bool


@dataclass(frozen=True, slots=True)
class ClipSample:
    """One judged moment of a clip, `at` seconds from its start.

    `blur`, `under` and `over` are the probabilities of the defect network, 0..1; `under` and `over` are None where
    exposure is not judged. `shake` is the movement of the camera, as a share of the diagonal, see
    `segment.clips.shake`; None if there are too few frames around. `black`: the frame has no picture; `frozen`: the
    picture stands still.
    """

    at: float
    blur: float
    under: float | None
    over: float | None
    shake: float | None
    black: bool
    frozen: bool


@dataclass(frozen=True, slots=True)
class ClipJudgement:
    """The samples of a clip in order, and what follows from them.

    `shares` has the share of the time, 0..1, of each of `CLIP_DEFECTS`, and that with any of them. `good` is the
    longest range without a defect, (start, end) in seconds; None if there is none.
    """

    facts: ClipFacts
    samples: tuple[ClipSample, ...]
    shares: Mapping[str, float]
    good: tuple[float, float] | None
    verdict: ClipVerdict
    sentence: str
