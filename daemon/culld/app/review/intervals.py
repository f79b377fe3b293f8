"""Intervals for shares that are counted."""

from __future__ import annotations

import math

_NORMAL_95 = 1.959963984540054


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of Wilson for a share of `hits` among `total`; (0, 1) without any."""
    if not total:
        return 0.0, 1.0
    share, square = hits / total, _NORMAL_95**2
    centre = share + square / (2 * total)
    spread = _NORMAL_95 * math.sqrt(share * (1 - share) / total + square / (4 * total**2))
    scale = 1 + square / total
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
