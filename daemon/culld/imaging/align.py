"""Aligns two photos of one scene: the map from the pixels of the second to those of the first, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culld.imaging.align_ecc import fit_ecc
from culld.imaging.align_features import fit_features
from culld.imaging.align_refine import refine
from culld.imaging.homography import insane, inverse, normalised, resizing, scale_of

if TYPE_CHECKING:
    from typing import Literal

    from numpy.typing import NDArray

    from culld.imaging.homography import Matrix, Size

    Frame = NDArray[np.uint8]
    Luma = NDArray[np.uint8]

LONGEST = 1024
"""The longer side in px at which features are found, and in which residuals are given."""
LEAST_SIDE = 64
"""The shorter side in px below which a photo is too small to be compared."""
LEAST_INLIERS = 30
LEAST_RATIO = 0.3
_LEAST_WORKING_SIDE = 32
_LEAST_SPREAD = 5.0  # grey levels: the standard deviation of a photo that shows something
_LEAST_COVER = 0.02  # of the shared frame: the area that the matches surround
_LEAST_CORRELATION = 0.5
_LEAST_MATCHING = 0.3  # of the textured places
_BORDER = 3  # px of the warped photo that are not valid: interpolation has mixed them with nothing


@dataclass(frozen=True, slots=True)
class Alignment:
    """How the second photo lies on the first one.

    `matrix` is float64 (3, 3): it maps pixel coordinates x, y, 1 of the upright second photo to those of the upright
    first one, both at full size; pixel centres are at integers. `inliers` matches fit it, the share `ratio` 0..1 of
    all; `error_px` is the median residual of the refined places, with the first photo at 1024 px.
    """

    matrix: Matrix
    method: Literal["features", "ecc"]
    inliers: int
    ratio: float
    error_px: float


@dataclass(frozen=True, slots=True)
class NotComparable:
    """Two photos that cannot be laid on one another; `reason` is one sentence."""

    reason: str


def align(first: Frame, second: Frame) -> Alignment | NotComparable:
    """Return how the second photo lies on the first one: upright RGB (height, width, 3) each, of any two sizes.

    Equal photos give equal results. A photo without structure is an answer (`NotComparable`), no error.
    """
    lumas = (_luma(first), _luma(second))
    working = [_working(luma) for luma in lumas]
    for name, luma, small in zip(("first", "second"), lumas, working, strict=True):
        if min(luma.shape) < LEAST_SIDE or min(small.shape) < _LEAST_WORKING_SIDE:
            return NotComparable(f"The {name} photo is too small or too narrow to be compared.")
        if small.std() < _LEAST_SPREAD:
            return NotComparable(f"The {name} photo shows too little to be compared.")
    found = _by_features(lumas, working)
    if isinstance(found, Alignment):
        return found
    return _by_ecc(lumas, working) or found


def warp(
    second: Frame, alignment: Alignment, size: Size, *, longest: int | None = None
) -> tuple[Frame, NDArray[np.bool_]]:
    """Return the second photo in the frame of the first one, and where it has pixels there.

    `size` is the (height, width) of the first photo; with `longest` the frame is scaled, never enlarged, so that its
    longer side has this many px. The pixels are uint8 (height, width, 3), black outside of the second photo; the mask
    is False there and within 3 px of its border.
    """
    import cv2

    height, width = scaled_size(size, longest)
    matrix = resizing(width / size[1], height / size[0]) @ alignment.matrix
    shrink = min(1.0, 1.5 * scale_of(matrix, (second.shape[0], second.shape[1])))
    if shrink < 0.75:  # interpolation of a frame with finer detail would alias
        target = (max(1, round(second.shape[1] * shrink)), max(1, round(second.shape[0] * shrink)))
        matrix = matrix @ inverse(resizing(target[0] / second.shape[1], target[1] / second.shape[0]))
        second = np.asarray(cv2.resize(second, target, interpolation=cv2.INTER_AREA), np.uint8)
    pixels = cv2.warpPerspective(second, matrix, (width, height), flags=cv2.INTER_CUBIC)
    inside = np.full(second.shape[:2], 255, np.uint8)
    covered = cv2.warpPerspective(inside, matrix, (width, height), flags=cv2.INTER_NEAREST)
    square = np.ones((2 * _BORDER + 1, 2 * _BORDER + 1), np.uint8)
    valid = cv2.erode(covered, square, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(pixels, np.uint8), np.asarray(valid > 0)


def scaled_size(size: Size, longest: int | None) -> Size:
    """Return a size (height, width) scaled down to this longer side; the same where there is no limit."""
    factor = 1.0 if longest is None else min(1.0, longest / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _luma(frame: Frame) -> Luma:
    import cv2

    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def _working(luma: Luma) -> Luma:
    """Return a luma with a longer side of at most 1024 px, as bright as its 99th percentile allows."""
    import cv2

    height, width = scaled_size((luma.shape[0], luma.shape[1]), LONGEST)
    small = cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA) if height < luma.shape[0] else luma
    low, high = np.percentile(small, (1, 99))
    bright = (np.asarray(small, np.float32) - low) * (255 / max(high - low, 16))
    return np.asarray(np.clip(bright, 0, 255), np.uint8)


def _by_features(lumas: tuple[Luma, Luma], working: list[Luma]) -> Alignment | NotComparable:
    """Return the alignment by features that passes the gates."""
    fit = fit_features(*working)
    if fit is None or fit.inliers < LEAST_INLIERS:
        count = 0 if fit is None else fit.inliers
        return NotComparable(f"The photos have only {count} features in common; at least {LEAST_INLIERS} are needed.")
    if fit.ratio < LEAST_RATIO:
        return NotComparable(
            f"Only {fit.ratio:.0%} of their similar features lie alike; at least {LEAST_RATIO:.0%} are needed."
        )
    return _judged(lumas, _at_full_size(fit.matrix, lumas, working), "features", fit.inliers, fit.ratio)


def _by_ecc(lumas: tuple[Luma, Luma], working: list[Luma]) -> Alignment | None:
    """Return the alignment by correlation that passes the gates."""
    fit = fit_ecc(*working)
    if fit is None or fit[1] < _LEAST_CORRELATION:
        return None
    found = _judged(lumas, _at_full_size(fit[0], lumas, working), "ecc", 0, 0.0)
    return found if isinstance(found, Alignment) else None


def _at_full_size(matrix: Matrix, lumas: tuple[Luma, Luma], working: list[Luma]) -> Matrix:
    """Return the map between the full sizes of a map between the working ones."""
    to_first, to_second = (
        resizing(small.shape[1] / luma.shape[1], small.shape[0] / luma.shape[0])
        for luma, small in zip(lumas, working, strict=True)
    )
    return np.asarray(inverse(to_first) @ matrix @ to_second, np.float64)


def _judged(
    lumas: tuple[Luma, Luma], matrix: Matrix, method: Literal["features", "ecc"], inliers: int, ratio: float
) -> Alignment | NotComparable:
    """Return the refined alignment, if it is sane and most places of both photos agree."""
    sizes = [(luma.shape[0], luma.shape[1]) for luma in lumas]
    fault = insane(matrix, sizes[0], sizes[1])
    if fault:
        return NotComparable(f"The photos are not of one scene: {fault}.")
    coarse = refine(*lumas, matrix, LONGEST)
    if coarse.matching < _LEAST_MATCHING * coarse.places:
        return NotComparable(f"Only {coarse.matching} of {coarse.places} places look alike in both photos.")
    fine = refine(*lumas, coarse.matrix, max(sizes[0]))
    best = fine if fine.residual <= coarse.residual else coarse
    fault = insane(best.matrix, sizes[0], sizes[1])
    if fault:
        return NotComparable(f"The photos are not of one scene: {fault}.")
    if method == "ecc":
        inliers, ratio = best.matching, best.matching / max(1, best.places)
    return Alignment(
        normalised(best.matrix, sizes[1]), method, inliers, ratio, float(best.residual) * LONGEST / max(sizes[0])
    )
