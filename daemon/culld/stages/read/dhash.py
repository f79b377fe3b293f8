"""The perceptual hash by which the photos of a burst are recognised; the only module that imports dhash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dhash
from PIL import Image

from culld.records import DHash

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def dhash_of(pixels: NDArray[np.uint8]) -> DHash:
    """Return the difference hashes of uint8 RGB pixels (height, width, 3); blur and brightness hardly change them."""
    side = DHash.SIDE + 1
    small = Image.fromarray(pixels).convert("L").resize((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    # Plain numbers, because for an image dhash calls a method that Pillow has deprecated.
    return DHash(*dhash.dhash_row_col(list(small.tobytes()), DHash.SIDE))
