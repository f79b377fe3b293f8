"""The overlay of a clip: each frame, a little darker, under the contours of its regions, with a legend that fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from culld.imaging.decode import shrunk
from culld.segment.clip_legend import ClipLegend
from culld.segment.masks import LONGEST
from culld.segment.outline import rings
from culld.segment.picture import dimmed, draw_outlines, present

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from culld.imaging.clip_reader import ClipFrame
    from culld.records.regions import RegionClass
    from culld.segment.masks import Segmentation, Segmenter

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


class ClipOverlay:
    """Draws on the frames of one clip, all of one size; not to be shared between threads."""

    def __init__(self, size: tuple[int, int]) -> None:
        """Fit legend and contours to frames of this (width, height) in px."""
        self._legend = ClipLegend(size)

    def drawn(self, frame: Pixels, found: Segmentation) -> Pixels:
        """Return a frame, uint8 RGB (height, width, 3), under the contours of its masks, which may be smaller."""
        shares: Mapping[RegionClass, float] = found.shares
        outlines = {kind: rings(found.masks[kind]) for kind, _ in present(shares)}
        height, width = next(iter(found.masks.values())).shape
        image = dimmed(frame)
        draw_outlines(image, outlines, shares, (frame.shape[1] / width, frame.shape[0] / height))
        self._legend.draw(image, shares)
        return np.asarray(image)
