"""One sentence about a heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from culld.explain.heat import HeatMap

SEEN: Final = 0.1
"""Below this probability there is nothing to point at."""
_ROWS: Final = ("upper ", "", "lower ")
_COLUMNS: Final = ("left", "centre", "right")
_MIDDLE: Final = {"upper ": "top centre", "lower ": "bottom centre"}


def strongest(heat: HeatMap) -> tuple[float, float]:
    """Return the centre of the strongest cell as fractions 0..1 of the width and height."""
    rows, columns = heat.values.shape
    row, column = np.unravel_index(int(heat.values.argmax()), heat.values.shape)
    return (float(column) + 0.5) / columns, (float(row) + 0.5) / rows


def share(heat: HeatMap) -> float:
    """Return the share, 0..1, of the frame inside the contour, which holds half of the evidence."""
    return float(heat.place.mean())


def where(x: float, y: float) -> str:
    """Return the name of a place, given as fractions 0..1, such as `upper left`."""
    row, column = (min(int(3 * place), 2) for place in (y, x))
    if column == 1:
        return _MIDDLE.get(_ROWS[row], "centre")
    return f"{_ROWS[row]}{_COLUMNS[column]}"


def sentence(heat: HeatMap) -> str:
    """Return what the map shows, such as `blur: strongest at upper left, 31 % of the frame`."""
    if heat.probability < SEEN:
        return f"{heat.head}: the network sees none (probability {heat.probability:.2f}), so no place is marked"
    x, y = strongest(heat)
    return f"{heat.head}: strongest at {where(x, y)}, {share(heat):.0%} of the frame".replace("%", " %")
