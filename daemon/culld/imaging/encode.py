"""From pixels to a file: pictures that training writes or degrades."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def jpeg_bytes(pixels: NDArray[np.uint8], quality: int) -> bytes:
    """The JPEG file of a picture (height, width, 3) in this quality (1..95 and beyond)."""
    saved = io.BytesIO()
    Image.fromarray(pixels).save(saved, "JPEG", quality=quality)
    return saved.getvalue()


def jpeg_roundtrip(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """The picture (height, width, 3) as it comes back after being saved as JPEG of this quality (1..95 and beyond)."""
    return np.asarray(Image.open(io.BytesIO(jpeg_bytes(pixels, quality))))


def save(pixels: NDArray[np.uint8], file: Path) -> None:
    """Write the picture (height, width, 3) by the ending of its name: JPEG of quality 95, or PNG, quick not small."""
    if file.suffix == ".jpg":
        Image.fromarray(pixels).save(file, "JPEG", quality=95)
    else:
        Image.fromarray(pixels).save(file, "PNG", compress_level=1)
