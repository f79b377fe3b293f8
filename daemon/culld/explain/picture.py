"""A heat map as a small grey PNG, for a page that draws it itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culld.imaging.overlay import grey_png

if TYPE_CHECKING:
    from culld.explain.heat import HeatMap


def heat_png(heat: HeatMap) -> bytes:
    """Return the strength of a map as an 8-bit grey PNG of one pixel a cell, under 3 KB.

    255 is a strength of 1: the cells inside the contour have 255 times the probability.
    """
    return grey_png(np.round(heat.strength * 255).astype(np.uint8))
