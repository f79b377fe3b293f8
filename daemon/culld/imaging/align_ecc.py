"""The map between two photos without features: enhanced correlation (ECC) of small pictures of their structure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culld.imaging.homography import resizing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.imaging.homography import Matrix

    Luma = NDArray[np.uint8]

_LONGEST = 256
_STEPS = 60
_LEAST_GAIN = 1e-4


def fit_ecc(first: Luma, second: Luma) -> tuple[Matrix, float] | None:
    """Return the map (3, 3) from the second luma to the first one and their correlation -1..1; None if it diverges.

    Evangelidis and Psarakis 2008; first an affine map, then a homography. It finds shifts of some percent of the frame.
    """
    import cv2

    small, other = structure(first), structure(second)
    rows, columns = (a / b for a, b in zip(small.shape, other.shape, strict=True))
    start = np.linalg.inv(resizing(columns, rows)).astype(np.float32)  # ECC maps the first one to the second one
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _STEPS, _LEAST_GAIN)
    try:
        _, affine = cv2.findTransformECC(small, other, start[:2], cv2.MOTION_AFFINE, criteria, None, 5)  # type: ignore[call-overload]
        whole = np.vstack([affine, [0, 0, 1]]).astype(np.float32)
        value, matrix = cv2.findTransformECC(small, other, whole, cv2.MOTION_HOMOGRAPHY, criteria, None, 5)  # type: ignore[call-overload]
        inverse = np.linalg.inv(matrix.astype(np.float64))
    except (cv2.error, np.linalg.LinAlgError):  # it has not converged
        return None
    if not np.isfinite(inverse).all():
        return None
    to_small = resizing(small.shape[1] / first.shape[1], small.shape[0] / first.shape[0])
    to_other = resizing(other.shape[1] / second.shape[1], other.shape[0] / second.shape[0])
    return np.linalg.inv(to_small) @ inverse @ to_other, float(value)


def structure(luma: Luma) -> NDArray[np.float32]:
    """Return the local contrast of a luma, with a longer side of 256 px: without exposure and slow shades."""
    import cv2

    factor = min(1.0, _LONGEST / max(luma.shape))
    size = (max(1, round(luma.shape[1] * factor)), max(1, round(luma.shape[0] * factor)))
    small = cv2.GaussianBlur(cv2.resize(luma, size, interpolation=cv2.INTER_AREA).astype(np.float32), (0, 0), 1.0)
    detail = small - cv2.GaussianBlur(small, (0, 0), 8.0)
    spread = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 16.0))
    return np.asarray(detail / (spread + 2.0), np.float32)
