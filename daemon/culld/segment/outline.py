"""The outlines of a mask as polygons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    Points = NDArray[np.float64]

SMALLEST: Final = 0.002
"""The share of the frame below which a region or a hole gets no outline."""
TOLERANCE: Final = 1.0
"""How far a polygon may run beside the border of a mask, in its px."""


@dataclass(frozen=True, slots=True, eq=False)
class Ring:
    """A closed polygon: the corners x and y, float64 (n, 2), in px of the mask; `is_hole` if the region is outside."""

    points: Points
    is_hole: bool


def rings(mask: Mask, smallest: float = SMALLEST, tolerance: float = TOLERANCE) -> list[Ring]:
    """Return the outlines of a mask, bool (height, width), the largest first; holes are rings of their own."""
    found = []
    for loop in _loops(mask):
        area = _area(loop)
        if abs(area) >= smallest * mask.size:
            found.append((abs(area), Ring(_simplified(loop, tolerance), area < 0)))
    return [ring for _, ring in sorted(found, key=lambda each: -each[0])]


def _loops(mask: Mask) -> list[Points]:
    """Return the borders of a mask as loops of corners: clockwise round a region (y points down), else round a hole.

    At a corner where two regions touch, each loop stays with its own region: neighbours share an edge.
    """
    following = _edges(mask)
    loops = []
    while following:
        start = next(iter(following))
        loop, at, came = [start], start, (0, 0)
        while True:
            ends = following[at]
            end = ends[0] if len(ends) == 1 else _turning_right(at, ends, came)
            ends.remove(end)
            if not ends:
                del following[at]
            came, at = (end[0] - at[0], end[1] - at[1]), end
            if at == start:
                break
            loop.append(at)
        loops.append(np.array(loop, np.float64))
    return loops


def _edges(mask: Mask) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Return the edges between pixels inside and outside, by their first corner, with the inside to their right."""
    padded = np.pad(mask, 1)
    inner = padded[1:-1, 1:-1]
    sides = (
        (inner & ~padded[:-2, 1:-1], (0, 0), (1, 0)),
        (inner & ~padded[1:-1, 2:], (1, 0), (1, 1)),
        (inner & ~padded[2:, 1:-1], (1, 1), (0, 1)),
        (inner & ~padded[1:-1, :-2], (0, 1), (0, 0)),
    )
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for edge, first, last in sides:
        for row, column in np.argwhere(edge).tolist():
            start, end = (column + first[0], row + first[1]), (column + last[0], row + last[1])
            found.setdefault(start, []).append(end)
    return found


def _turning_right(at: tuple[int, int], ends: list[tuple[int, int]], came: tuple[int, int]) -> tuple[int, int]:
    """Return the end that turns right, seen in the direction `came`."""
    right = (at[0] - came[1], at[1] + came[0])
    return right if right in ends else ends[0]


def _area(loop: Points) -> float:
    """Return the area of a polygon in px²; negative if it runs counter-clockwise on the screen."""
    x, y = loop.T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)


def _simplified(loop: Points, tolerance: float) -> Points:
    """Return a polygon with fewer corners (Ramer 1972, Douglas and Peucker 1973), at least 3."""
    far = int(np.argmax(np.hypot(*(loop - loop[0]).T)))
    closed = np.concatenate((loop, loop[:1]))
    kept = np.zeros(len(closed), np.bool_)
    kept[[0, far, len(loop)]] = True
    waiting = [(0, far), (far, len(loop))]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        distance = _distances(closed[first + 1 : last], closed[first], closed[last])
        worst = int(np.argmax(distance))
        if distance[worst] > tolerance:
            middle = first + 1 + worst
            kept[middle] = True
            waiting += [(first, middle), (middle, last)]
    simple = closed[:-1][kept[:-1]]
    return simple if len(simple) >= 3 else loop


def _distances(points: Points, first: Points, last: Points) -> Points:
    """Return how far points lie from a line."""
    line = last - first
    length = max(float(np.hypot(*line)), 1e-9)
    away: Points = np.abs(line[0] * (points[:, 1] - first[1]) - line[1] * (points[:, 0] - first[0])) / length
    return away
