"""The map between two photos by their features: SIFT, FLANN with the ratio test of Lowe, and MAGSAC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.imaging.homography_fit import fit_robustly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.imaging.homography import Matrix, Points

    Luma = NDArray[np.uint8]

RATIO = 0.7
"""A match is kept where its distance is below this part of the distance to the second best one."""
_FEATURES = 2000
_CONTRAST = 0.012  # lower than OpenCV's 0.04: the strongest of them are kept, so dark and soft photos have some as well
_WITHIN = 2.0  # px at the size at which features are found
_FEWEST = 8
_SEED = 13


@dataclass(frozen=True, slots=True)
class Features:
    """Features of a picture: places (n, 2) in x, y and descriptors (n, 128)."""

    points: Points
    descriptors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FeatureFit:
    """The map (3, 3) from the second picture to the first one, the matches (n, 2) in x, y, and which of them fit it."""

    matrix: Matrix
    first: Points
    second: Points
    fits: NDArray[np.bool_]

    @property
    def inliers(self) -> int:
        """How many matches fit the map."""
        return int(self.fits.sum())

    @property
    def ratio(self) -> float:
        """The share 0..1 of the matches that fit the map."""
        return self.inliers / len(self.fits)


def fit_features(here: Features, there: Features) -> FeatureFit | None:
    """Return the map from the second picture to the first one; None without enough matches.

    Equal features give equal maps: FLANN and MAGSAC start from the same seed.
    """
    if min(len(here.points), len(there.points)) < 2:
        return None
    pairs = _matches(there.descriptors, here.descriptors)
    if len(pairs) < _FEWEST:
        return None
    source, target = there.points[pairs[:, 0]], here.points[pairs[:, 1]]
    fit = fit_robustly(source, target, _WITHIN)
    return None if fit is None else FeatureFit(fit[0], target, source, fit[1])


def find_features(luma: Luma) -> Features:
    """Return the strongest features of a luma (height, width).

    The descriptors are roots of L1-normalised ones (RootSIFT, Arandjelovic and Zisserman 2012).
    """
    import cv2

    create: Any = vars(cv2)["SIFT_create"]  # its stubs lack it
    finder = create(nfeatures=_FEATURES, contrastThreshold=_CONTRAST, enable_precise_upscale=True)  # else 0.25 px off
    points, descriptors = finder.detectAndCompute(luma, None)
    if descriptors is None:
        return Features(np.empty((0, 2)), np.empty((0, 128), np.float32))
    values = np.asarray(descriptors, np.float32)
    values = np.sqrt(values / np.maximum(values.sum(axis=1, keepdims=True), 1e-6))
    return Features(np.array([point.pt for point in points], np.float64), values)


def _matches(query: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the indexes (n, 2) of matching descriptors, each known one at most once."""
    import cv2

    cv2.setRNGSeed(_SEED)
    matcher = cv2.FlannBasedMatcher({"algorithm": 1, "trees": 4}, {"checks": 48})  # 1: randomised k-d trees
    found = [pair for pair in matcher.knnMatch(query, known, k=2) if len(pair) == 2]
    kept = sorted((a.distance, a.queryIdx, a.trainIdx) for a, b in found if a.distance < RATIO * b.distance)
    best: dict[int, int] = {}
    for _, one, other in kept:
        best.setdefault(other, one)
    return np.array([(one, other) for other, one in best.items()], np.int64).reshape(-1, 2)
