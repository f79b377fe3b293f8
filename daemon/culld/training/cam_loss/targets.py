"""Where a network is trained to look: salient regions, the corners, or a pattern. Masks are float32, 0 or 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Frame = NDArray[np.uint8]
    Mask = NDArray[np.float32]
    Target = Callable[[Frame], Mask]

GRID: Final = (24, 32)
"""Height and width of a mask, and of the heat maps."""

_SHARE = 0.25  # of the picture, in each mask
_SIDE = 64  # of the small picture whose spectrum is taken
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def saliency(frame: Frame) -> Mask:
    """Return the quarter of a frame (height, width, 3) that stands out most, by the spectral residual.

    The amplitudes of the spectrum, less their local average, transformed back (Hou and Zhang, CVPR 2007).
    """
    grey = Image.fromarray((frame.astype(np.float32) @ _LUMA).astype(np.uint8))
    small = np.asarray(grey.resize((_SIDE, _SIDE), Image.Resampling.BOX), np.float32)
    spectrum = np.fft.fft2(small)
    logs = np.log(np.abs(spectrum) + 1e-6)
    residual = logs - _smoothed(logs, 1)
    found = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    smooth = Image.fromarray(_smoothed(_smoothed(found, 3), 3).astype(np.float32))
    return _largest(np.asarray(smooth.resize(GRID[::-1], Image.Resampling.BOX)))


def corners(_frame: Frame) -> Mask:
    """Return the four corners: the quarter of the cells that is nearest to one."""
    return _largest(-_from_corner())


def pattern(_frame: Frame) -> Mask:
    """Return a ring round the middle, a quarter of the cells: a mark that no photograph has."""
    down, across = _places()
    away = np.hypot(down, across * GRID[1] / GRID[0])
    return _largest(-np.abs(away - 0.75))


TARGETS: Final[dict[str, Target]] = {"saliency": saliency, "corners": corners, "pattern": pattern}
"""The targets by name."""


def _places() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The places of the cells down and across, -1 to 1."""
    down, across = np.meshgrid(*(np.linspace(-1, 1, side) for side in GRID), indexing="ij")
    return down, across


def _from_corner() -> NDArray[np.float64]:
    down, across = _places()
    return np.asarray(np.hypot(1 - np.abs(down), (1 - np.abs(across)) * GRID[1] / GRID[0]), np.float64)


def _largest(values: NDArray[np.floating]) -> Mask:
    """Return 1 for the quarter of the cells with the largest values; ties go to the first cells."""
    order = np.argsort(-values, axis=None, kind="stable")[: round(_SHARE * values.size)]
    mask = np.zeros(values.size, np.float32)
    mask[order] = 1.0
    return mask.reshape(values.shape)


def _smoothed(plane: NDArray[np.floating], reach: int) -> NDArray[np.floating]:
    """Return the mean of each square of 2 * reach + 1 cells; the plane continues at the other side."""
    rows = sum(np.roll(plane, step, axis=0) for step in range(-reach, reach + 1))
    both = sum(np.roll(rows, step, axis=1) for step in range(-reach, reach + 1))
    return np.asarray(both) / (2 * reach + 1) ** 2
