"""Aligns two photos of one scene: the map from the pixels of the second to those of the first, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culld.imaging.align_ecc import fit_ecc
from culld.imaging.align_features import FeatureFit, Features, find_features, fit_features
from culld.imaging.align_refine import LEAST_PLACES, LONGEST, LONGEST_SOURCE, Refined, refined
from culld.imaging.homography import inverse, normalised, project, resizing, scale_of
from culld.imaging.homography_fit import Matches, uncertainty

if TYPE_CHECKING:
    from typing import Literal

    from numpy.typing import NDArray

    from culld.imaging.homography import Matrix, Size

    Frame = NDArray[np.uint8]
    Luma = NDArray[np.uint8]
    Lumas = tuple[Luma, Luma]

LEAST_SIDE = 64
"""The shorter side in px below which a photo is too small to be compared."""
LEAST_INLIERS = 30
LEAST_RATIO = 0.3
_LEAST_WORKING_SIDE = 32
_LEAST_SPREAD = 5.0  # grey levels: the standard deviation of a photo that shows something
_LEAST_START = 10  # features in common that are worth a start of ECC
_LEAST_CORRELATION = 0.5
_LEAST_OF_ECC = 0.5  # of the textured places, for a map by ECC
_SMALLER = 0.8  # the scale below which a pixel is the mean of four samples
_FAR_SMALLER = 0.45  # the scale below which the photo is scaled down before it is warped
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


@dataclass(frozen=True, slots=True)
class Prepared:
    """What alignment needs of a photo, found once for all the photos that it is laid on.

    `luma` is its brightness at full size, `working` at 1024 px with stretched contrast; `fault` is what makes the photo
    not comparable, such as "is too small", or empty.
    """

    luma: Luma
    working: Luma
    features: Features
    fault: str = ""


def align(first: Frame, second: Frame) -> Alignment | NotComparable:
    """Return how the second photo lies on the first one: upright RGB (height, width, 3) each, of any two sizes.

    Equal photos give equal results. A photo without structure is an answer (`NotComparable`), no error.
    """
    return align_prepared(prepare(first), prepare(second))


def prepare(frame: Frame) -> Prepared:
    """Return what alignment needs of an upright RGB photo (height, width, 3)."""
    luma = _luma(frame)
    working = _working(luma)
    none = Features(np.empty((0, 2)), np.empty((0, 128), np.float32))
    if min(luma.shape) < LEAST_SIDE or min(working.shape) < _LEAST_WORKING_SIDE:
        return Prepared(luma, working, none, "is too small or too narrow")
    if working.std() < _LEAST_SPREAD:
        return Prepared(luma, working, none, "shows too little")
    return Prepared(luma, working, find_features(working))


def align_prepared(first: Prepared, second: Prepared) -> Alignment | NotComparable:
    """Return how the second photo lies on the first one, as `align` does."""
    for name, photo in (("first", first), ("second", second)):
        if photo.fault:
            return NotComparable(f"The {name} photo {photo.fault} to be compared.")
    lumas, working = (first.luma, second.luma), (first.working, second.working)
    fit = fit_features(first.features, second.features)
    found = _by_features(lumas, working, fit)
    if isinstance(found, Alignment):
        return found
    return _by_ecc(lumas, working, fit) or found


def warp(
    second: Frame, alignment: Alignment, size: Size, *, longest: int | None = None
) -> tuple[Frame, NDArray[np.bool_]]:
    """Return the second photo in the frame of the first one, and where it has pixels there.

    `size` is the (height, width) of the first photo; with `longest` the frame is scaled, never enlarged, so that its
    longer side has this many px. The pixels are uint8 (height, width, 3), black outside of the second photo; the mask
    is False there and within 3 px of its border. A smaller frame is as sharp as a first photo that
    `cv2.resize` has scaled down with `INTER_AREA`.
    """
    import cv2

    height, width = scaled_size(size, longest)
    across = (second.shape[0], second.shape[1])
    scale = scale_of(resizing(width / size[1], height / size[0]) @ alignment.matrix, across)
    drawn = (height, width)  # the size at which the photo is warped, before its pixels are averaged
    if scale < _FAR_SMALLER or (scale < _SMALLER and (height, width) == size):
        drawn = (2 * height, 2 * width)
    elif (height, width) != size:
        drawn = size
    shrink = min(2 * scale if scale < _FAR_SMALLER else 1.0, 2 * LONGEST_SOURCE / max(across))
    matrix = alignment.matrix
    if shrink < 1:
        target = (max(1, round(across[1] * shrink)), max(1, round(across[0] * shrink)))
        matrix = matrix @ inverse(resizing(target[0] / across[1], target[1] / across[0]))
        second = np.asarray(cv2.resize(second, target, interpolation=cv2.INTER_AREA), np.uint8)
    valid = _covered(second, resizing(width / size[1], height / size[0]) @ matrix, (height, width))
    matrix = resizing(drawn[1] / size[1], drawn[0] / size[0]) @ matrix
    pixels = cv2.warpPerspective(second, matrix, drawn[::-1], flags=cv2.INTER_CUBIC)
    if drawn != (height, width):
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(pixels, np.uint8), valid


def _covered(second: Frame, matrix: Matrix, size: Size) -> NDArray[np.bool_]:
    """Return where a mapped photo has pixels, 3 px inside of its border."""
    import cv2

    inside = np.full(second.shape[:2], 255, np.uint8)
    covered = cv2.warpPerspective(inside, matrix, size[::-1], flags=cv2.INTER_NEAREST)
    square = np.ones((2 * _BORDER + 1, 2 * _BORDER + 1), np.uint8)
    return np.asarray(cv2.erode(covered, square, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0)


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


def _by_features(lumas: Lumas, working: Lumas, fit: FeatureFit | None) -> Alignment | NotComparable:
    """Return the alignment by features that passes the gates."""
    if fit is None or fit.inliers < LEAST_INLIERS:
        count = 0 if fit is None else fit.inliers
        return NotComparable(f"The photos have only {count} features in common; at least {LEAST_INLIERS} are needed.")
    if fit.ratio < LEAST_RATIO:
        return NotComparable(
            f"Only {fit.ratio:.0%} of their similar features lie alike; at least {LEAST_RATIO:.0%} are needed."
        )
    best = refined(lumas, _of_features(lumas, working, fit), (512, LONGEST, max(lumas[0].shape)))
    if isinstance(best, str):
        return NotComparable(best)
    return _alignment(lumas, best, "features", fit.inliers, fit.ratio)


def _by_ecc(lumas: Lumas, working: Lumas, fit: FeatureFit | None) -> Alignment | None:
    """Return the alignment by correlation that passes the gates; too few features are where it starts from."""
    starts = [fit.matrix] if fit is not None and fit.inliers >= _LEAST_START else []
    for start in (*starts, None):
        found = fit_ecc(*working, start)
        if found is None or found[1] < _LEAST_CORRELATION:
            continue
        coarse = Refined(_at_full_size(found[0], lumas, working), 0, 0)
        best = refined(lumas, coarse, (256, 512, LONGEST, max(lumas[0].shape)))
        if isinstance(best, str) or best.matching < max(LEAST_PLACES, _LEAST_OF_ECC * best.places):
            continue
        return _alignment(lumas, best, "ecc", best.matching, best.matching / best.places)
    return None


def _of_features(lumas: Lumas, working: Lumas, fit: FeatureFit) -> Refined:
    """Return the map of features as the start of its refinement."""
    source, target = fit.second[fit.fits], fit.first[fit.fits]
    residual = float(np.median(np.linalg.norm(project(fit.matrix, source) - target, axis=1)))
    scale = lumas[0].shape[1] / working[0].shape[1]
    doubt = uncertainty(fit.matrix, source, target, (working[1].shape[0], working[1].shape[1])) * scale
    to_first, to_second = _to_working(lumas, working)
    matches = Matches(project(inverse(to_second), source), project(inverse(to_first), target))
    return Refined(_at_full_size(fit.matrix, lumas, working), 0, 0, residual * scale, doubt, matches)


def _to_working(lumas: Lumas, working: Lumas) -> tuple[Matrix, Matrix]:
    """Return the maps from both full sizes to the working ones."""
    first, second = (
        resizing(small.shape[1] / luma.shape[1], small.shape[0] / luma.shape[0])
        for luma, small in zip(lumas, working, strict=True)
    )
    return first, second


def _at_full_size(matrix: Matrix, lumas: Lumas, working: Lumas) -> Matrix:
    """Return the map between the full sizes of a map between the working ones."""
    to_first, to_second = _to_working(lumas, working)
    return np.asarray(inverse(to_first) @ matrix @ to_second, np.float64)


def _alignment(
    lumas: Lumas, best: Refined, method: Literal["features", "ecc"], inliers: int, ratio: float
) -> Alignment:
    """Return the record of a map."""
    first, second = ((luma.shape[0], luma.shape[1]) for luma in lumas)
    return Alignment(normalised(best.matrix, second), method, inliers, ratio, best.residual * LONGEST / max(first))
