"""Refines a map between two photos: small patches of both are matched by correlation, and the map is fitted to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from culld.imaging.homography import insane, inverse, project, resizing, scale_of
from culld.imaging.homography_fit import Matches, fit_all, fit_jointly, fit_robustly, uncertainty

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.imaging.homography import Matrix, Points, Size

    Luma = NDArray[np.uint8]

LONGEST = 1024
"""The longer side in px at which features are found, and in which residuals are given."""
LEAST_PLACES = 20
"""So few places that look alike are no evidence."""
_LEAST_ALIKE = 0.3  # of the textured places, at the size where most of them look alike
_LARGEST_DOUBT = 3.0  # px at 1024 px: how far the map may put the corners off
LONGEST_SOURCE = 16_000
"""The longer side in px of a picture that is warped at once: OpenCV warps none above 32,767."""
_CELLS = 16  # along the longer side: one place in each
_RADIUS = 16  # px of a patch
_SEARCH = 8  # px around the place that the map foretells
_LEAST_SCORE = 0.6  # correlation of two patches that show the same
_SOFTENING = 1.2  # px: less noise, and less difference in focus
_LEAST_TEXTURE = 3.0  # standard deviation of a softened patch in grey levels
_WITHIN = 1.5  # px
_FEWEST = 12


@dataclass(frozen=True, slots=True)
class Refined:
    """A map (3, 3) and its evidence.

    `matching` of the `places` that are textured in both photos look alike; `residual` is their median distance from the
    map, and `corners` how far it may put the corners of the second photo off, both in px of the first one. `matches`
    are those places, where a map was fitted to them.
    """

    matrix: Matrix
    places: int
    matching: int
    residual: float = float("inf")
    corners: float = float("inf")
    matches: Matches | None = None


def refined(lumas: tuple[Luma, Luma], start: Refined, sizes: tuple[int, ...]) -> Refined | str:
    """Return the surest map of those fitted at several sizes, or in one sentence why the photos have none.

    The lumas (height, width) are of full size. The map has to be sane, and places of both photos have to look alike.
    """
    first, second = ((luma.shape[0], luma.shape[1]) for luma in lumas)
    best, alike, levels = start, 0.0, [Refined(start.matrix, 0, 0)]
    for longest in sorted({min(size, max(first)) for size in sizes}):
        fault = insane(best.matrix, first, second)
        if fault:
            return f"The photos are not of one scene: {fault}."
        found = refine(*lumas, best.matrix, longest)
        alike = max(alike, found.matching / max(found.places, LEAST_PLACES))
        levels.append(found)
        if found.corners < best.corners:
            best = found
    best = _joined(best, start, min(levels, key=lambda level: level.corners), second)
    if alike < _LEAST_ALIKE:
        return f"Only {alike:.0%} of their places look alike; at least {_LEAST_ALIKE:.0%} are needed."
    if best.corners * LONGEST > _LARGEST_DOUBT * max(first):
        return "The photos have too little in common to be laid on one another exactly."
    fault = insane(best.matrix, first, second)
    return f"The photos are not of one scene: {fault}." if fault else best


def _joined(best: Refined, start: Refined, level: Refined, second: Size) -> Refined:
    """Return the map of the matches of the start and of one level together, if that is surer than the best one."""
    if start.matches is None or level.matches is None:
        return best
    try:
        matrix, doubt = fit_jointly((start.matches, level.matches), best.matrix, second)
    except np.linalg.LinAlgError:
        return best
    return replace(best, matrix=matrix, corners=doubt) if doubt < best.corners else best


def refine(first: Luma, second: Luma, matrix: Matrix, longest: int) -> Refined:
    """Return the map from the second luma (height, width) to the first one, fitted with the first at `longest` px.

    Neither picture is enlarged. The map comes back as it was where fewer than 12 places match.
    """
    scale = scale_of(matrix, second.shape)
    factor = min(1.0, longest / max(first.shape), 1 / scale)
    here, to_here = _shrunk(first, factor)
    there, to_there = _shrunk(second, min(1.0, factor * scale, LONGEST_SOURCE / max(second.shape)))
    level = to_here @ matrix @ inverse(to_there)
    places = _places(here, there, level)
    places, scores, shifts = _shifts(here, there, level, places)
    found = scores >= _LEAST_SCORE
    if found.sum() < _FEWEST:
        return Refined(matrix, len(places), int(found.sum()))
    target = places[found]
    source = project(inverse(level), target + shifts[found])
    fit = fit_robustly(source, target, _WITHIN)
    fits = np.zeros(len(source), np.bool_) if fit is None else fit[1]
    fitted = fit_all(source[fits], target[fits]) if fits.sum() >= _FEWEST else None
    if fitted is None:
        return Refined(matrix, len(places), 0)
    residual = float(np.median(np.linalg.norm(project(fitted, source[fits]) - target[fits], axis=1)))
    back = inverse(to_here) @ fitted @ to_there
    doubt = uncertainty(fitted, source[fits], target[fits], (there.shape[0], there.shape[1]))
    zoom = float(to_here[0, 0])
    matches = Matches(project(inverse(to_there), source[fits]), project(inverse(to_here), target[fits]))
    return Refined(back, len(places), int(fits.sum()), residual / zoom, doubt / zoom, matches)


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
    cell = max(margin, round(max(small.shape) / _CELLS))
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


def _shifts(here: Luma, there: Luma, level: Matrix, places: Points) -> tuple[Points, NDArray[np.float64], Points]:
    """Return the places (n, 2) textured in both pictures, their correlation (n,) and how many px the second is off."""
    found = [_shift(here, there, level, int(x), int(y)) for x, y in places]
    kept = [index for index, one in enumerate(found) if one is not None]
    rows = np.array([one for one in found if one is not None], np.float64).reshape(-1, 3)
    return places[kept], rows[:, 0], rows[:, 1:]


def _shift(here: Luma, there: Luma, level: Matrix, x: int, y: int) -> tuple[float, float, float] | None:
    """Return correlation and shift x, y in px of one place, zeros without a clear peak; None without texture."""
    import cv2

    reach = _RADIUS + _SEARCH
    patch = _soft(here[y - _RADIUS : y + _RADIUS + 1, x - _RADIUS : x + _RADIUS + 1])
    window = _soft(_window(there, level, (x - reach, y - reach), 2 * reach + 1))
    if min(float(cv2.meanStdDev(square)[1][0, 0]) for square in (patch, window)) < _LEAST_TEXTURE:
        return None
    scores = np.asarray(cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED), np.float32)
    column, row = _peak(scores)
    if not (0 < row < 2 * _SEARCH and 0 < column < 2 * _SEARCH):
        return 0.0, 0.0, 0.0
    return (
        float(scores[row, column]),
        column - _SEARCH + _vertex(scores[row, column - 1 : column + 2]),
        row - _SEARCH + _vertex(scores[row - 1 : row + 2, column]),
    )


def _soft(square: Luma) -> NDArray[np.float32]:
    """Return a square with less noise."""
    import cv2

    return np.asarray(cv2.GaussianBlur(square.astype(np.float32), (0, 0), _SOFTENING), np.float32)


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
