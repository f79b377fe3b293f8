"""How much of the structure of a photo its repaired copy keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from culld.imaging.decode import shrunk
from culld.imaging.quality import ssim_map
from culld.imaging.tone_curve import luma

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

LONGEST: Final = 1024
"""Photos are compared with their longer side reduced to this many px."""


def structure_kept(before: Pixels, after: Pixels) -> float:
    """Return the mean structural similarity -1..1 of a copy to its photo, both uint8 RGB (height, width, 3).

    The tones of the copy are first given those of the photo, because a tone curve is wanted to change them.
    """
    one, other = (luma(shrunk(pixels, LONGEST)) for pixels in (before, after))
    return float(ssim_map(one, matched(other, one)).mean())


def matched(levels: Pixels, reference: Pixels) -> Pixels:
    """Return uint8 levels, mapped increasingly so that their histogram becomes that of the reference."""
    shares, wanted = (np.cumsum(np.bincount(each.ravel(), minlength=256)) / each.size for each in (levels, reference))
    middles = shares - np.diff(shares, prepend=0) / 2
    table = np.interp(middles, wanted - np.diff(wanted, prepend=0) / 2, np.arange(256))
    found: Pixels = np.rint(table).astype(np.uint8)[levels]
    return found
