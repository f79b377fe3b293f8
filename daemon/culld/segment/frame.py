"""The frame that a photo is segmented in."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from culld.imaging.decode import decode_once, shrunk
from culld.imaging.raw import open_raw
from culld.records import Format
from culld.segment.masks import LONGEST

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from culld.imaging.decode import DecodedPhoto
    from culld.imaging.image_file import DecodeLimits

    Pixels = NDArray[np.uint8]


def frame_of(stream: BinaryIO, format_: Format, limits: DecodeLimits) -> tuple[Pixels, tuple[int, int]]:
    """Return the frame of a photo, uint8 RGB (height, width, 3), and the (width, height) of the upright photo in px.

    The frame is upright, and its longer side at most `masks.LONGEST`; of a RAW both are those of its preview. Raises
    UnreadableError.
    """
    stream.seek(0)
    if format_ is Format.RAW:
        with open_raw(stream, limits) as raw, raw.decode_once() as decoded:
            return _frame(decoded)
    with decode_once(stream, format_, limits, (LONGEST, LONGEST)) as decoded:
        return _frame(decoded)


def _frame(decoded: DecodedPhoto) -> tuple[Pixels, tuple[int, int]]:
    width, height = decoded.upright_size
    long, short = max(decoded.full_size), min(decoded.full_size)
    return shrunk(decoded.upright(), LONGEST), (long, short) if width >= height else (short, long)
