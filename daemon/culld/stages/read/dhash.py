"""The perceptual hash of a picture, which recognises the frames of a burst; the only module that imports dhash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dhash
from PIL import Image

from culld.records import DHash

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def dhash_of(pixels: NDArray[np.uint8]) -> DHash:
    """The difference hashes of a picture (height, width, 3); blur and brightness hardly change them."""
    side = DHash.SIDE + 1
    small = Image.fromarray(pixels).convert("L").resize((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    # As plain numbers: of a picture dhash would ask by a call that Pillow is going to drop.
    return DHash(*dhash.dhash_row_col(list(small.tobytes()), DHash.SIDE))
