"""One difference between a frame of a burst and its best frame."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """Whether a frame is worse in an aspect than the best frame, better, or neither."""

    WORSE = "worse"
    BETTER = "better"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Remark:
    """A difference in one aspect: a clause with its numbers, and a short form of it for a line below a picture.

    `value` is the figure of the frame, `best` that of the best frame; None if the aspect has none.
    """

    aspect: str
    side: Side
    text: str
    short: str
    value: float | None = None
    best: float | None = None
