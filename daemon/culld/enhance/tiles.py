"""Pictures of any size through a network for square tiles: tiles overlap, so that no seam can be seen.

A tile keeps only the pixels that see no border of it, except where the border is that of the picture. So the result is
that of the whole picture in one piece, and memory does not grow with the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Run = Callable[[Pixels], NDArray[np.float32]]
    """From a tile, uint8 (side, side, 3), to its pixels 0..255, float32 of the same shape."""
    Progress = Callable[[int, int], object]
    """Gets the number of tiles done, and of all tiles."""

MARGIN: Final = 56
"""How far the network of `training/restoration` sees to each side, 55 px, as a multiple of `STEP`."""
STEP: Final = 4
"""Tiles begin at multiples of this, as the layers of the network do that work at a quarter of the resolution."""


@dataclass(frozen=True, slots=True)
class Span:
    """A tile along one axis: it begins at `start`, and keeps the pixels from `first` up to, not including, `last`."""

    start: int
    first: int
    last: int


def spans(length: int, side: int, margin: int = MARGIN) -> tuple[Span, ...]:
    """Return the tiles of this side along an axis of `length` px; the pixels kept are each pixel once, in order.

    The last tile may reach past the end, by less than `STEP`, or because the axis is shorter than a tile. Raises
    ValueError if side and margin are no multiples of `STEP`, or if a tile would keep nothing.
    """
    if side % STEP or margin % STEP or side <= 2 * margin:
        raise ValueError(f"tiles of {side} px cannot overlap by {margin} px to each side")
    final = max(0, -(-length // STEP) * STEP - side)
    starts = [*range(0, final, side - 2 * margin), final]
    ends = [*(start + side - margin for start in starts[:-1]), length]
    firsts = [0, *ends[:-1]]
    return tuple(Span(*each) for each in zip(starts, firsts, ends, strict=True))


def in_tiles(
    pixels: Pixels, run: Run, side: int, margin: int = MARGIN, progress: Progress | None = None
) -> Iterator[tuple[slice, slice, NDArray[np.float32]]]:
    """Yield rows, columns and the result of `run` for them, until every pixel of a picture was given once.

    `pixels` is uint8 (height, width, 3), at least 1x1; past its edges its last pixels are repeated.
    """
    height, width = pixels.shape[:2]
    downward, across = spans(height, side, margin), spans(width, side, margin)
    total = len(downward) * len(across)
    for number, (down, right) in enumerate((down, right) for down in downward for right in across):
        found = run(_tile(pixels, down.start, right.start, side))
        rows, columns = slice(down.first, down.last), slice(right.first, right.last)
        kept = found[rows.start - down.start : rows.stop - down.start, columns.start - right.start :]
        yield rows, columns, kept[:, : columns.stop - columns.start]
        if progress is not None:
            progress(number + 1, total)


def _tile(pixels: Pixels, top: int, left: int, side: int) -> Pixels:
    cut = pixels[top : top + side, left : left + side]
    missing = ((0, side - cut.shape[0]), (0, side - cut.shape[1]), (0, 0))
    return np.ascontiguousarray(cut) if cut.shape[:2] == (side, side) else np.pad(cut, missing, mode="edge")
