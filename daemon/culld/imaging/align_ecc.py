"""The map between two photos without features: enhanced correlation (ECC) of small pictures of their structure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from culld.imaging.homography import inverse, resizing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.imaging.homography import Matrix

    Luma = NDArray[np.uint8]
    Structure = NDArray[np.float32]

_STEPS = 50
_LEAST_GAIN = 1e-4
_NEARLY_ZERO = 1e-9
_NOISE = 2.0  # grey levels: weaker structure than this stays weak


def fit_ecc(first: Luma, second: Luma, start: Matrix | None = None) -> tuple[Matrix, float] | None:
    """Return the map (3, 3) from the second luma to the first one and their correlation -1..1; None if it diverges.

    Evangelidis and Psarakis 2008: a turn and a shift at 64 px, an affine map at 128 px, a homography at 256 px. Without
    a map to start from, it finds one where the frames are a tenth of their width apart at most.
    """
    import cv2

    matrix, value = start, 0.0
    motions = (cv2.MOTION_EUCLIDEAN, cv2.MOTION_AFFINE, cv2.MOTION_HOMOGRAPHY)
    for longest, motion in zip((64, 128, 256), motions, strict=True):
        if start is not None and longest < 256:
            continue
        found = _level(first, second, matrix, longest, motion)
        if found is None:
            return None
        matrix, value = found
    return None if matrix is None else (matrix, value)


def _level(first: Luma, second: Luma, start: Matrix | None, longest: int, motion: int) -> tuple[Matrix, float] | None:
    """Return the map between two lumas and their correlation at one size; None if it diverges."""
    import cv2

    small, other = structure(first, longest), structure(second, longest)
    to_small = resizing(small.shape[1] / first.shape[1], small.shape[0] / first.shape[0])
    to_other = resizing(other.shape[1] / second.shape[1], other.shape[0] / second.shape[0])
    maximise: Any = cv2.findTransformECC  # its stubs allow no None for the mask
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _STEPS, _LEAST_GAIN)
    try:
        if start is None:  # the frames lie on one another
            guess = resizing(other.shape[1] / small.shape[1], other.shape[0] / small.shape[0])
        else:
            guess = to_other @ inverse(to_small @ start)
        rows = 3 if motion == cv2.MOTION_HOMOGRAPHY else 2
        if not np.isfinite(guess).all() or abs(guess[2, 2]) < _NEARLY_ZERO:
            return None
        place = (guess / guess[2, 2])[:rows].astype(np.float32)
        value, found = maximise(small, other, place, motion, criteria, None, 5)
        whole = np.vstack([found, [[0, 0, 1]]])[:3].astype(np.float64)
        matrix = inverse(to_small) @ inverse(whole) @ to_other
    except (cv2.error, np.linalg.LinAlgError):  # it has not converged
        return None
    return (matrix, float(value)) if np.isfinite(matrix).all() else None


def structure(luma: Luma, longest: int) -> Structure:
    """Return the local contrast of a luma at this longer side: float32 (height, width), without exposure and shades."""
    import cv2

    factor = min(1.0, longest / max(luma.shape))
    size = (max(8, round(luma.shape[1] * factor)), max(8, round(luma.shape[0] * factor)))
    small = cv2.GaussianBlur(cv2.resize(luma, size, interpolation=cv2.INTER_AREA).astype(np.float32), (0, 0), 1.0)
    detail = small - cv2.GaussianBlur(small, (0, 0), 8.0)
    spread = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 16.0))
    return np.asarray(detail / (spread + _NOISE), np.float32)
