"""How alike two pictures of one size are: structural similarity, noise ratio, and the overlap of masks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WINDOW, _SIGMA = 11, 1.5
_STEADY_MEAN, _STEADY_SPREAD = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim_map(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the structural similarity -1..1 of each pixel: float32 (height, width), 1 where both are equal.

    Both are uint8 of one shape, (height, width) or (height, width, channels); of channels it is the mean. Wang et al.
    2004: a Gaussian window of 11 px with sigma 1.5, K1 0.01, K2 0.03, range 255, covariances of the population; as
    `structural_similarity` of scikit-image has it with `gaussian_weights=True, use_sample_covariance=False, sigma=1.5,
    data_range=255, full=True`. The border mirrors the picture. Raises ValueError where the shapes differ.
    """
    if first.shape != second.shape:
        raise ValueError(f"pictures of {first.shape} and {second.shape} cannot be compared pixel by pixel")
    one, other = first.astype(np.float32), second.astype(np.float32)
    mean_one, mean_other = _windowed(one), _windowed(other)
    product, squares = mean_one * mean_other, mean_one**2 + mean_other**2
    covariance = _windowed(one * other) - product
    variances = _windowed(one**2 + other**2) - squares
    value = (2 * product + _STEADY_MEAN) * (2 * covariance + _STEADY_SPREAD)
    value /= (squares + _STEADY_MEAN) * (variances + _STEADY_SPREAD)
    return np.asarray(value if value.ndim == 2 else value.mean(axis=2), np.float32)


def psnr(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Return the peak signal-to-noise ratio in dB of two uint8 pictures of one shape; infinity where both are equal.

    Raises ValueError where the shapes differ.
    """
    if first.shape != second.shape:
        raise ValueError(f"pictures of {first.shape} and {second.shape} cannot be compared pixel by pixel")
    error = float(np.mean(np.square(first.astype(np.float32) - second.astype(np.float32)), dtype=np.float64))
    return 10 * math.log10(255**2 / error) if error else math.inf


def iou(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Return the intersection over union 0..1 of two masks of one shape; 1 where both are empty.

    Raises ValueError where the shapes differ.
    """
    if first.shape != second.shape:
        raise ValueError(f"masks of {first.shape} and {second.shape} cannot overlap")
    union = int(np.count_nonzero(first | second))
    return int(np.count_nonzero(first & second)) / union if union else 1.0


def _windowed(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of each channel under the window."""
    along = np.arange(_WINDOW, dtype=np.float32) - _WINDOW // 2
    weights = np.exp(-(along**2) / (2 * _SIGMA**2))
    weights /= weights.sum()
    for axis in (0, 1):
        margin = [(0, 0)] * values.ndim
        margin[axis] = (_WINDOW // 2, _WINDOW // 2)
        padded, size = np.pad(values, margin, mode="symmetric"), values.shape[axis]
        taken = (np.take(padded, range(start, start + size), axis) for start in range(_WINDOW))
        values = np.asarray(sum(part * weight for part, weight in zip(taken, weights, strict=True)), np.float32)
    return values
