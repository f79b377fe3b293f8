"""Fits a plane projective map to matching places of two photos, and says how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.imaging.homography import corners, project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from culld.imaging.homography import Matrix, Points, Size

_LEAST_SCATTER = 0.03  # px: no place is found more exactly


@dataclass(frozen=True, slots=True)
class Matches:
    """Places (n, 2) in x, y of the second photo that show what the targets (n, 2) in the first one show."""

    source: Points
    target: Points


def fit_robustly(source: Points, target: Points, within: float) -> tuple[Matrix, NDArray[np.bool_]] | None:
    """Return the map (3, 3) from points (n, 2) to points (n, 2) by MAGSAC, and which lie within so many px of it.

    None where no map fits. The random numbers of MAGSAC start from one state: equal points give an equal map.
    """
    import cv2

    finder: Any = cv2.findHomography  # its stubs know of no None
    matrix, mask = finder(source, target, cv2.USAC_MAGSAC, within, maxIters=5000, confidence=0.9999)
    if matrix is None or mask is None or not np.isfinite(matrix).all():
        return None
    return np.asarray(matrix, np.float64), mask.ravel().astype(np.bool_)


def fit_all(source: Points, target: Points) -> Matrix | None:
    """Return the map (3, 3) with the least squares of distances between mapped points (n, 2) and their targets."""
    import cv2

    finder: Any = cv2.findHomography
    matrix, _ = finder(source, target, 0)
    return None if matrix is None or not np.isfinite(matrix).all() else np.asarray(matrix, np.float64)


def uncertainty(matrix: Matrix, source: Points, target: Points, size: Size) -> float:
    """Return how far a fitted map may put the corners of a picture (height, width) off, in px of the targets.

    It is the root mean square over the corners that the residuals of the fitted points (n, 2) and their places imply by
    linear propagation, with 0.03 px at least for each point; infinity where the points do not fix a map.
    """
    centre, reach = np.array(size[::-1]) / 2, max(size) / 2
    unit = matrix @ np.array([[reach, 0, centre[0]], [0, reach, centre[1]], [0, 0, 1.0]])
    unit = unit / unit[2, 2]
    derivative = _derivative(unit, (source - centre) / reach)
    freedom = derivative.shape[0] - 8
    if freedom < 8 or not np.isfinite(derivative).all() or np.linalg.matrix_rank(derivative) < 8:
        return float("inf")
    error = np.sum((project(matrix, source) - target) ** 2) / freedom + _LEAST_SCATTER**2
    at_corners = _derivative(unit, (corners(size) - centre) / reach)
    spread = at_corners @ np.linalg.inv(derivative.T @ derivative) @ at_corners.T
    square = float(error * np.trace(spread) / 4)
    return square**0.5 if np.isfinite(square) else float("inf")


def fit_jointly(groups: Sequence[Matches], start: Matrix, size: Size) -> tuple[Matrix, float]:
    """Return the map with the least squares over groups of matches, and its uncertainty as `uncertainty` has it.

    Four steps of Gauss and Newton go from `start`; each group is weighted by its scatter around the map. `size` is the
    (height, width) of the picture that is mapped. Raises LinAlgError where the matches do not fix a map.
    """
    centre, reach = np.array(size[::-1]) / 2, max(size) / 2
    unit = start @ np.array([[reach, 0, centre[0]], [0, reach, centre[1]], [0, 0, 1.0]])
    unit = unit / unit[2, 2]
    places = np.vstack([(group.source - centre) / reach for group in groups])
    target = np.vstack([group.target for group in groups])
    ends = np.cumsum([len(group.source) for group in groups])[:-1]
    for _ in range(4):
        off = target - project(unit, places)
        weight = np.concatenate([np.full(len(one), 1 / _scatter(one)) for one in np.split(off, ends)])
        slope = _derivative(unit, places) * np.tile(weight, 2)[:, None]
        step = np.linalg.lstsq(slope, (off * weight[:, None]).T.ravel(), rcond=None)[0]
        unit = unit + np.append(step, 0.0).reshape(3, 3)
    at_corners = _derivative(unit, (corners(size) - centre) / reach)
    spread = at_corners @ np.linalg.inv(slope.T @ slope) @ at_corners.T
    matrix = unit @ np.array([[1 / reach, 0, -centre[0] / reach], [0, 1 / reach, -centre[1] / reach], [0, 0, 1]])
    return matrix, float(np.sqrt(np.trace(spread) / 4))


def _scatter(off: Points) -> float:
    """Return the scatter in px of one coordinate of residuals (n, 2)."""
    return float(np.sqrt(np.mean(off**2) + _LEAST_SCATTER**2))


def _derivative(unit: Matrix, points: Points) -> Matrix:
    """Return the derivative (2 n, 8) of mapped points by the elements of a matrix whose last one is 1."""
    ahead = np.column_stack([points, np.ones(len(points))])
    depth = ahead @ unit[2]
    mapped = project(unit, points)
    ahead /= depth[:, None]
    none = np.zeros_like(ahead)
    rows = (np.hstack([ahead, none]), np.hstack([none, ahead]))
    return np.vstack([np.hstack([row, -mapped[:, [axis]] * ahead[:, :2]]) for axis, row in enumerate(rows)])
