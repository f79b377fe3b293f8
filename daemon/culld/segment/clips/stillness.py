"""Whether the picture of a clip is black, or stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from culld.records.clips import Transfer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

BLACK_LEVEL: Final = {Transfer.SDR: 24, Transfer.HLG: 24, Transfer.PQ: 24, Transfer.LOG: 44}
"""The darkest grey levels of luma, 0..255: the 0.1 of FFmpeg's `blackdetect`; black is higher in a log profile (S-Log3
puts it at 95 of 1023)."""
BLACK_SHARE: Final = 0.98
"""The share of such pixels in a black frame: that of `blackdetect`."""
BLACK_SPREAD: Final = 1.5
"""The largest standard deviation of the means of blocks in a black frame, in levels; blocks leave out noise.

On photographs of the calibration split a covered lens had 0.12, and an exposure of -5.4 EV, which is under-exposed but
shows a picture, 2.6 or more.
"""
_BLOCK: Final = 8
STILL: Final = 0.1
"""The largest mean change of luma between frames of a frozen picture, in levels.

Repeated frames that x264 had encoded changed by 0.05 at most between key frames, at every quality from 14 to 28; frames
with noise of 2 levels by 0.2 or more at the bit rates of cameras. The 0.255 of FFmpeg's `freezedetect` is too much.
"""
STILL_S: Final = 2.0
"""The shortest time without a change: that of FFmpeg's `freezedetect`."""


def is_black(small: Pixels, transfer: Transfer) -> bool:
    """Return whether a reduced luma, uint8 (height, width), has no picture."""
    dark = float((small <= BLACK_LEVEL[transfer]).mean())
    return dark >= BLACK_SHARE and float(_block_means(small).std()) <= BLACK_SPREAD


def _block_means(small: Pixels) -> NDArray[np.float64]:
    rows, columns = (max(1, side // _BLOCK) for side in small.shape)
    height, width = min(_BLOCK, small.shape[0]), min(_BLOCK, small.shape[1])
    blocks = small[: rows * height, : columns * width].reshape(rows, height, columns, width)
    means: NDArray[np.float64] = blocks.mean(axis=(1, 3))
    return means


def change(before: Pixels, after: Pixels) -> float:
    """Return the mean absolute difference of two arrays of luma, in levels; 255 if their shapes differ."""
    if before.shape != after.shape:
        return 255.0
    return float(np.abs(before.astype(np.int16) - after).mean())


def still_ranges(times: Sequence[float], changes: Sequence[float]) -> list[tuple[float, float]]:
    """Return the ranges (start, end) in seconds in which nothing changes for at least two seconds.

    `changes[i]` is the change from frame i - 1 to frame i, whose time is `times[i]`; the first one is not used.
    """
    found: list[tuple[float, float]] = []
    start: float | None = None
    for before, changed in zip(times, changes[1:], strict=False):
        if changed <= STILL:
            start = before if start is None else start
            continue
        if start is not None and before - start >= STILL_S:
            found.append((start, before))
        start = None
    if start is not None and times[-1] - start >= STILL_S:
        found.append((start, times[-1]))
    return found
