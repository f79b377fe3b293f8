"""The map between two photos by their features: SIFT, FLANN with the ratio test of Lowe, and MAGSAC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.imaging.homography import fit_robustly

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


def fit_features(first: Luma, second: Luma) -> FeatureFit | None:
    """Return the map from the second luma (height, width) to the first one; None without enough matches.

    Equal pictures give equal maps: FLANN and MAGSAC start from the same seed.
    """
    import cv2

    cv2.setRNGSeed(_SEED)
    here, there = _features(first), _features(second)
    if here is None or there is None:
        return None
    pairs = _matches(there[1], here[1])
    if len(pairs) < _FEWEST:
        return None
    source, target = there[0][pairs[:, 0]], here[0][pairs[:, 1]]
    fit = fit_robustly(source, target, _WITHIN)
    return None if fit is None else FeatureFit(fit[0], target, source, fit[1])


def _features(luma: Luma) -> tuple[Points, NDArray[np.float32]] | None:
    """Return places (n, 2) in x, y and descriptors (n, 128) of the strongest features; None without two of them.

    The descriptors are roots of L1-normalised ones (RootSIFT, Arandjelovic and Zisserman 2012).
    """
    import cv2

    create: Any = vars(cv2)["SIFT_create"]  # its stubs lack it
    points, descriptors = create(nfeatures=_FEATURES, contrastThreshold=_CONTRAST).detectAndCompute(luma, None)
    if descriptors is None or len(points) < 2:
        return None
    values = np.asarray(descriptors, np.float32)
    values = np.sqrt(values / np.maximum(values.sum(axis=1, keepdims=True), 1e-6))
    return np.array([point.pt for point in points], np.float64), values


def _matches(query: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the indexes (n, 2) of matching descriptors, each known one at most once."""
    import cv2

    matcher = cv2.FlannBasedMatcher({"algorithm": 1, "trees": 4}, {"checks": 48})  # 1: randomised k-d trees
    found = [pair for pair in matcher.knnMatch(query, known, k=2) if len(pair) == 2]
    kept = sorted((a.distance, a.queryIdx, a.trainIdx) for a, b in found if a.distance < RATIO * b.distance)
    best: dict[int, int] = {}
    for _, one, other in kept:
        best.setdefault(other, one)
    return np.array([(one, other) for other, one in best.items()], np.int64).reshape(-1, 2)
