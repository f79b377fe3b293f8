"""Blur kernels and the convolution that applies them; pure numpy.

A kernel is a square float64 array with odd sides that sums to 1. Lengths are pixels of the 512x384 frame.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Kernel = NDArray[np.float64]
    Plane = NDArray[np.float32]


def disk(radius: float) -> Kernel:
    """Return the kernel of a lens out of focus: the share of each pixel that a disk of this radius covers.

    The areas are exact, as in MATLAB's `fspecial('disk', radius)` (the lens blur of KADID-10k).
    """
    reach = math.ceil(radius - 0.5)
    edges: Kernel = np.arange(-reach, reach + 2, dtype=np.float64) - np.float64(0.5)
    corner = _covered(edges[None, :], edges[:, None], radius)
    area = corner[1:, 1:] - corner[1:, :-1] - corner[:-1, 1:] + corner[:-1, :-1]
    return _normal(np.maximum(area, 0.0))  # rounding leaves -1e-17 beside the disk


def cat_eye(radius: float, rng: np.random.Generator) -> Kernel:
    """Return the kernel of a lens out of focus near a corner of the frame: a disk with one side vignetted."""
    whole = disk(radius)
    reach = whole.shape[0] // 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    turn, shift = rng.uniform(0, 2 * math.pi), radius * rng.uniform(0.4, 0.9)
    seen = np.hypot(x - shift * math.cos(turn), y - shift * math.sin(turn)) <= radius
    return _normal(np.where(seen, whole, 0.0))


def motion(length: float, degrees: float) -> Kernel:
    """Return the kernel of a straight camera movement; `degrees` count counter-clockwise from the horizontal.

    A pixel weighs 1 minus its distance to the segment, at least 0 (MATLAB's `fspecial('motion', length, degrees)`).
    """
    half = max(length - 1.0, 0.0) / 2
    reach = math.ceil(half + 1)
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    y, x = np.mgrid[reach : -reach - 1 : -1, -reach : reach + 1]
    along, across = np.abs(x * cosine + y * sine), np.abs(y * cosine - x * sine)
    distance = np.where(np.hypot(x, y) < half, across, np.hypot(across, half - along))
    return _normal(np.clip(1.0 - distance, 0.0, None))


def gaussian(sigma: float) -> Kernel:
    """Return a Gaussian kernel, truncated at three sigma."""
    reach = max(1, math.ceil(3 * sigma))
    line = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return _normal(np.outer(line, line))


def shake(length: float, rng: np.random.Generator) -> Kernel:
    """Return the kernel of camera shake: a smooth random path of `length` pixels, with equal light along it."""
    steps = 256
    heading = rng.uniform(0, 2 * math.pi) + np.cumsum(rng.normal(0, 1.6 / math.sqrt(steps), steps))
    path = np.cumsum(np.stack([np.cos(heading), np.sin(heading)]) * (length / steps), axis=1)
    path -= path.mean(axis=1, keepdims=True)
    reach = math.ceil(np.abs(path).max()) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    corner = np.floor(path).astype(int)
    part = path - corner
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share = np.abs(1 - right - part[0]) * np.abs(1 - down - part[1])
        np.add.at(kernel, (corner[1] + down + reach, corner[0] + right + reach), share)
    return _normal(kernel)


def convolve(image: Plane, kernel: Kernel) -> Plane:
    """Return the image (height, width, 3) convolved with the kernel, borders replicated, clipped to 0..1."""
    reach = kernel.shape[0] // 2
    if not reach:
        return image
    padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    size = (_smooth_size(padded.shape[0]), _smooth_size(padded.shape[1]))
    spectrum = np.fft.rfft2(padded, size, axes=(0, 1))
    spectrum *= np.fft.rfft2(kernel.astype(np.float32), size)[..., None]
    whole = np.fft.irfft2(spectrum, size, axes=(0, 1))
    inner = whole[2 * reach : 2 * reach + image.shape[0], 2 * reach : 2 * reach + image.shape[1]]
    return np.clip(inner, 0.0, 1.0).astype(np.float32)


def small_blur(image: Plane) -> Plane:
    """Return the image convolved with the 3x3 binomial kernel, borders replicated; faster than `convolve`."""
    for axis in (0, 1):
        width = [(1, 1) if side == axis else (0, 0) for side in range(image.ndim)]
        padded = np.pad(image, width, mode="edge")
        size = image.shape[axis]
        ahead, middle, behind = (padded.take(range(start, start + size), axis) for start in (0, 1, 2))
        image = (ahead + 2 * middle + behind) / np.float32(4)
    return image


def _covered(x: Kernel, y: Kernel, radius: float) -> Kernel:
    """Return the disk's area between the axes through its centre and (x, y), odd in x and y."""
    far_x, far_y = np.minimum(np.abs(x), radius), np.minimum(np.abs(y), radius)
    bend = np.minimum(np.sqrt(np.maximum(radius**2 - far_y**2, 0)), far_x)  # `pow` may round otherwise
    area: Kernel = far_y * bend + _under_arc(far_x, radius) - _under_arc(bend, radius)
    return np.sign(x) * np.sign(y) * area


def _under_arc(x: Kernel, radius: float) -> Kernel:
    """Return the area under the circle from 0 to x."""
    area: Kernel = (x * np.sqrt(np.maximum(radius**2 - x**2, 0)) + radius**2 * np.arcsin(x / radius)) / 2
    return area


def _normal(kernel: Kernel) -> Kernel:
    share: Kernel = kernel / kernel.sum()
    return share


def _smooth_size(least: int) -> int:
    """Return the next length without prime factors above 5, for which the Fourier transform is fast."""
    size = least
    while True:
        rest = size
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return size
        size += 1
