"""How much light a frame shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEVELS = np.arange(256) / 255
_LIGHT = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
_STOPS = np.log2(np.maximum(_LIGHT, 2.0**-9) / 0.18)  # from the 18 % grey


def stops(frame: NDArray[np.uint8]) -> float:
    """Return the median light of a frame, uint8 RGB (height, width, 3), in stops from the 18 % grey, -6.5..2.5."""
    # the weights of Rec. 709 in 256ths
    sums = frame[..., 0] * np.uint16(54) + frame[..., 1] * np.uint16(183) + frame[..., 2] * np.uint16(19)
    return float(_STOPS[int(np.median(sums >> 8))])
