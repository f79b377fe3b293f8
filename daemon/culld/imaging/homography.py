"""Plane projective maps between two photos: how they are scaled, applied, judged and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix: TypeAlias = NDArray[np.float64]
    Points: TypeAlias = NDArray[np.float64]
    Size: TypeAlias = tuple[int, int]

_LARGEST_SCALE = 4.0  # of both photos, each scaled to a longer side of 1
_LARGEST_STRETCH = 2.0  # one direction against the other one
_LARGEST_PERSPECTIVE = 1.6  # the depths of the corners, one against the other: 4 in area
_LEAST_OVERLAP = 0.2  # of the smaller one of both photos


def resizing(factor_x: float, factor_y: float) -> Matrix:
    """Return the map from pixel coordinates of a picture, whose centres are at integers, to those of a resized copy."""
    return np.array(
        [[factor_x, 0, (factor_x - 1) / 2], [0, factor_y, (factor_y - 1) / 2], [0, 0, 1]],
        np.float64,
    )


def inverse(matrix: Matrix) -> Matrix:
    """Return the map (3, 3) back; raises LinAlgError where there is none."""
    return np.asarray(np.linalg.inv(matrix), np.float64)


def project(matrix: Matrix, points: Points) -> Points:
    """Return where a matrix (3, 3) puts points (n, 2) in x, y: float64 (n, 2), NaN at and behind infinity."""
    mapped = points @ matrix[:, :2].T + matrix[:, 2]
    depth = mapped[:, 2:]
    return np.divide(mapped[:, :2], depth, out=np.full_like(mapped[:, :2], np.nan), where=depth > 0)


def corners(size: Size) -> Points:
    """Return the centres (4, 2) in x, y of the corner pixels of a picture of (height, width), clockwise."""
    height, width = size
    return np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float64)


def normalised(matrix: Matrix, size: Size) -> Matrix:
    """Return the matrix scaled so that the centre of a picture of (height, width) has the depth 1.

    A matrix that puts the centre at infinity is returned as NaN.
    """
    height, width = size
    depth = float(matrix[2] @ ((width - 1) / 2, (height - 1) / 2, 1.0))
    return matrix / depth if abs(depth) > np.finfo(float).tiny else np.full_like(matrix, np.nan)


def scale_of(matrix: Matrix, size: Size) -> float:
    """Return the scale of a matrix in the centre of a picture of (height, width): the root of the ratio of areas."""
    return float(np.sqrt(np.abs(np.linalg.det(normalised(matrix, size)))))


def insane(matrix: Matrix, first: Size, second: Size) -> str:
    """Return what no two photos of one scene have, in one clause, or an empty text.

    `matrix` maps the second photo to the first one; both sizes are (height, width).
    """
    unit = normalised(matrix, second)
    if not np.isfinite(unit).all():
        return "the map between them has no solution"
    box = corners(second)
    depths = box @ unit[2, :2] + unit[2, 2]
    if np.linalg.det(unit) <= 0 or depths.min() <= 0:
        return "the map between them mirrors or folds the photo"
    if depths.max() > _LARGEST_PERSPECTIVE * depths.min():
        return "they are taken from too different angles"
    scale = scale_of(unit, second) * max(second) / max(first)
    if not 1 / _LARGEST_SCALE <= scale <= _LARGEST_SCALE:
        return "one shows far more of the scene than the other one"
    large, small = np.linalg.svd(_jacobian(unit, second), compute_uv=False)
    if large > _LARGEST_STRETCH * small:
        return "the map between them stretches the photo"
    return "" if overlap(unit, first, second) >= _LEAST_OVERLAP else "they share too little of the scene"


def overlap(matrix: Matrix, first: Size, second: Size) -> float:
    """Return the shared area, as a share 0..1 of the smaller photo; the matrix maps the second one to the first one."""
    import cv2

    frame, box = (array.astype(np.float32) for array in (corners(first), project(matrix, corners(second))))
    if not np.isfinite(box).all():
        return 0.0
    shared, _ = cv2.intersectConvexConvex(frame, box)
    smaller = min(abs(cv2.contourArea(frame)), abs(cv2.contourArea(box)))
    return min(1.0, float(shared) / smaller) if smaller > 0 else 0.0


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


def corner_error(matrix: Matrix, truth: Matrix, first: Size, second: Size) -> float:
    """Return how far from the truth a matrix puts the corners of the second photo: mean px, with the first at 1024."""
    box = corners(second)
    apart = np.linalg.norm(project(matrix, box) - project(truth, box), axis=1)
    return float(apart.mean()) * 1024 / max(first)


def _jacobian(unit: Matrix, size: Size) -> Matrix:
    """Return the derivative (2, 2) in the centre of a picture of a matrix that is normalised there."""
    height, width = size
    centre = unit[:2] @ np.array([(width - 1) / 2, (height - 1) / 2, 1.0])
    return unit[:2, :2] - np.outer(centre, unit[2, :2])
