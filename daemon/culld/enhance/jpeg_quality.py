"""The quality of a JPEG file from its quantisation tables, without a look at the picture.

It is that of the last program that saved the file: a photo may have been compressed more strongly before.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Logarithms = NDArray[np.float64]

_LUMA: Final = np.fromstring(
    "16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62 18 22 37 56 "
    "68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99",
    dtype=np.int64,
    sep=" ",
)
"""Table K.1 of ITU-T T.81, row by row."""
_CHROMA: Final = np.fromstring(
    "17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66" + " 99" * 38,
    dtype=np.int64,
    sep=" ",
)
"""Table K.2 of ITU-T T.81, row by row."""
_WEIGHTS: Final = np.array([2.0, 1.0])
"""Brightness decides: cameras of Nikon store libjpeg's table of brightness beside a coarser one of colour."""


def estimated_quality(tables: Mapping[int, Sequence[int]] | None) -> int | None:
    """Return the quality 1..100 of libjpeg whose tables are the nearest to these, or None without tables.

    `tables` are those of Pillow's `image.quantization`, row by row: 0 is that of brightness, 1 that of colour.
    """
    if not tables or any(len(table) != 64 for table in tables.values()):
        return None
    wanted = np.log(np.maximum([tables[number] for number in sorted(tables)[:2]], 1))
    distances = np.abs(_all()[:, : len(wanted)] - wanted).sum(axis=2) @ _WEIGHTS[: len(wanted)]
    return int(np.argmin(distances)) + 1


@cache
def _all() -> Logarithms:
    """Return the logarithms of libjpeg's tables: (100 qualities, 2 tables, 64)."""
    quality = np.arange(1, 101)
    percent = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)[:, None, None]
    base = np.stack([_LUMA, _CHROMA])
    found: Logarithms = np.log(np.clip((base * percent + 50) // 100, 1, 255))
    return found
