"""The overlay of a clip: each frame, a little darker, under the contours of its regions, with a legend that fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culld.imaging.decode import shrunk
from culld.segment.clip_legend import ClipLegend
from culld.segment.masks import LONGEST
from culld.segment.outline import rings
from culld.segment.picture import dimmed, draw_outlines, present

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from culld.records.regions import RegionClass
    from culld.segment.masks import Segmentation, Segmenter

    Pixels = NDArray[np.uint8]


def segmented(frame: Pixels, segmenter: Segmenter) -> Segmentation:
    """Return the masks of a frame, uint8 RGB (height, width, 3), in px of the frame reduced as a photo is."""
    return segmenter.segment(shrunk(frame, LONGEST))


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
