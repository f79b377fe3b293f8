"""The overlay of a clip: each frame, a little darker, under the contours of its regions, with a legend that fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.imaging.decode import shrunk
from culld.segment.clip_legend import ClipLegend
from culld.segment.maps import SCALE
from culld.segment.masks import LONGEST
from culld.segment.outline import Ring, rings
from culld.segment.picture import dimmed, draw_outlines, present

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from culld.imaging.clip_reader import ClipFrame
    from culld.records.regions import RegionClass
    from culld.segment.masks import Segmentation, Segmenter

    Mask = NDArray[np.bool_]
    Pixels = NDArray[np.uint8]

HELD: Final = 1 / 15
"""The shortest time in seconds between two frames that are segmented: of 24 to 30 frames a second every other one."""
_ROUNDING: Final = 0.002  # containers round times to 1 ms


class HeldSegmentation:
    """Segments the frames of one clip, not more than 15 in a second; the others have the masks of the one before."""

    def __init__(self, segmenter: Segmenter) -> None:
        """Have no masks yet."""
        self._segmenter = segmenter
        self._found: Segmentation | None = None
        self._at = 0.0

    def of(self, frame: ClipFrame) -> Segmentation:
        """Return the masks of the next frame, in px of the frame reduced as a photo is."""
        if self._found is None or frame.at - self._at >= HELD - _ROUNDING:
            self._found, self._at = self._segmenter.segment(shrunk(frame.pixels, LONGEST)), frame.at
        return self._found


@dataclass(frozen=True, slots=True, eq=False)
class Contours:
    """The outlines of the masks of a frame, in px of the masks, whose `width` and `height` it has, and their shares."""

    found: Segmentation
    shares: Mapping[RegionClass, float]
    outlines: Mapping[RegionClass, list[Ring]]
    width: int
    height: int

    @classmethod
    def of(cls, found: Segmentation) -> Contours:
        """Follow the borders of every second px: the network tells no more, and it takes half of the time."""
        shares = found.shares
        height, width = next(iter(found.masks.values())).shape
        outlines = {kind: _traced(found.masks[kind]) for kind, _ in present(shares)}
        return cls(found, shares, outlines, width, height)


def _traced(mask: Mask) -> list[Ring]:
    return [Ring(ring.points * SCALE, ring.is_hole) for ring in rings(mask[::SCALE, ::SCALE])]


class ClipOverlay:
    """Draws on the frames of one clip, all of one size; not to be shared between threads."""

    def __init__(self, size: tuple[int, int]) -> None:
        """Fit legend and contours to frames of this (width, height) in px."""
        self._legend = ClipLegend(size)
        self._contours: Contours | None = None

    def drawn(self, frame: Pixels, found: Segmentation) -> Pixels:
        """Return a frame, uint8 RGB (height, width, 3), under the contours of its masks, which may be smaller."""
        if self._contours is None or self._contours.found is not found:
            self._contours = Contours.of(found)
        held, image = self._contours, dimmed(frame)
        draw_outlines(image, held.outlines, held.shares, (frame.shape[1] / held.width, frame.shape[0] / held.height))
        self._legend.draw(image, held.shares)
        return np.asarray(image)
