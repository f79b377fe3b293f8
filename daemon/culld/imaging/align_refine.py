"""Refines a map between two photos: small patches of both are matched by correlation, and the map is fitted anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culld.imaging.homography import fit_all, fit_robustly, inverse, project, resizing, scale_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.imaging.homography import Matrix, Points

    Luma = NDArray[np.uint8]

_CELLS = 12  # along the longer side: one place in each
_RADIUS = 16  # px of a patch
_SEARCH = 8  # px around the place that the map foretells
_LEAST_SCORE = 0.6  # correlation of two patches that show the same
_LEAST_TEXTURE = 4.0  # standard deviation of a patch in grey levels
_WITHIN = 1.5  # px
_FEWEST = 12


@dataclass(frozen=True, slots=True)
class Refined:
    """A map (3, 3) and its evidence: how many of the textured places match, and their median residual in px."""

    matrix: Matrix
    places: int
    matching: int
    residual: float


def refine(first: Luma, second: Luma, matrix: Matrix, longest: int) -> Refined:
    """Return the map from the second luma (height, width) to the first one, fitted with the first at `longest` px.

    Neither picture is enlarged. The map comes back as it was where fewer than 12 places match.
    """
    scale = scale_of(matrix, second.shape)
    factor = min(1.0, longest / max(first.shape), 1 / scale)
    here, to_here = _shrunk(first, factor)
    there, to_there = _shrunk(second, min(1.0, factor * scale))
    level = to_here @ matrix @ inverse(to_there)
    places = _places(here, there, level)
    found, shifts = _shifts(here, there, level, places)
    if found.sum() < _FEWEST:
        return Refined(matrix, len(places), int(found.sum()), float("inf"))
    target = places[found]
    source = project(inverse(level), target + shifts[found])
    fit = fit_robustly(source, target, _WITHIN)
    fits = np.zeros(len(source), np.bool_) if fit is None else fit[1]
    fitted = fit_all(source[fits], target[fits]) if fits.sum() >= _FEWEST else None
    if fitted is None:
        return Refined(matrix, len(places), 0, float("inf"))
    residual = float(np.median(np.linalg.norm(project(fitted, source[fits]) - target[fits], axis=1)))
    back = inverse(to_here) @ fitted @ to_there
    return Refined(back, len(places), int(fits.sum()), residual / to_here[0, 0])


def _shrunk(luma: Luma, factor: float) -> tuple[Luma, Matrix]:
    """Return a luma scaled by a factor, unless that is nearly 1, and the map to its coordinates."""
    import cv2

    if factor > 0.85:
        return luma, np.eye(3)
    size = (max(1, round(luma.shape[1] * factor)), max(1, round(luma.shape[0] * factor)))
    small = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small, resizing(size[0] / luma.shape[1], size[1] / luma.shape[0])


def _places(here: Luma, there: Luma, level: Matrix) -> Points:
    """Return the places (n, 2) in x, y of the first picture that the second one shows: the best corner of each cell."""
    import cv2

    factor = min(1.0, 1024 / max(here.shape))
    size = (round(here.shape[1] * factor), round(here.shape[0] * factor))
    small = cv2.resize(here, size, interpolation=cv2.INTER_AREA)
    strength = np.asarray(cv2.cornerMinEigenVal(small, 7), np.float32)
    margin = int((_RADIUS + 2) * factor) + 2
    cell = max(2 * margin // 2, round(max(small.shape) / _CELLS))
    best = [
        (left + x, top + y)
        for top in range(margin, small.shape[0] - margin, cell)
        for left in range(margin, small.shape[1] - margin, cell)
        for (x, y) in [
            _peak(strength[top : min(top + cell, size[1] - margin), left : min(left + cell, size[0] - margin)])
        ]
    ]
    if not best:
        return np.empty((0, 2))
    points = np.rint(
        project(inverse(resizing(size[0] / here.shape[1], size[1] / here.shape[0])), np.array(best, float))
    )
    seen = project(inverse(level), points)
    reach = _RADIUS + _SEARCH
    inside = (seen >= reach).all(axis=1) & (seen < np.array(there.shape[::-1]) - reach).all(axis=1)
    return points[inside]


def _peak(strength: NDArray[np.float32]) -> tuple[int, int]:
    """Return the place (x, y) of the largest value."""
    row, column = np.unravel_index(int(np.argmax(strength)), strength.shape)
    return int(column), int(row)


def _shifts(here: Luma, there: Luma, level: Matrix, places: Points) -> tuple[NDArray[np.bool_], Points]:
    """Return which places match, and by how many px x, y (n, 2) the second picture is off there."""
    import cv2

    found = np.zeros(len(places), np.bool_)
    shifts = np.zeros((len(places), 2))
    reach = _RADIUS + _SEARCH
    for index, (x, y) in enumerate(places.astype(int)):
        patch = here[y - _RADIUS : y + _RADIUS + 1, x - _RADIUS : x + _RADIUS + 1]
        if patch.shape != (2 * _RADIUS + 1, 2 * _RADIUS + 1) or patch.std() < _LEAST_TEXTURE:
            continue
        window = _window(there, level, (x - reach, y - reach), 2 * reach + 1)
        scores = np.asarray(cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED), np.float32)
        column, row = _peak(scores)
        if not (0 < row < 2 * _SEARCH and 0 < column < 2 * _SEARCH) or scores[row, column] < _LEAST_SCORE:
            continue
        found[index] = True
        shifts[index] = (
            column - _SEARCH + _vertex(scores[row, column - 1 : column + 2]),
            row - _SEARCH + _vertex(scores[row - 1 : row + 2, column]),
        )
    return found, shifts


def _window(there: Luma, level: Matrix, corner: tuple[int, int], side: int) -> Luma:
    """Return a square of the second picture, mapped to the first one, whose upper left pixel is at `corner` there."""
    import cv2

    moved = np.array([[1, 0, -corner[0]], [0, 1, -corner[1]], [0, 0, 1]]) @ level
    return np.asarray(cv2.warpPerspective(there, moved, (side, side), flags=cv2.INTER_CUBIC), np.uint8)


def _vertex(three: NDArray[np.float32]) -> float:
    """Return where the parabola through three values has its top, from -0.5 to 0.5 around the middle one."""
    left, middle, right = (float(value) for value in three)
    bend = left - 2 * middle + right
    return float(np.clip((left - right) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0
