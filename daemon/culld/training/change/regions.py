"""Regions of a frame: irregular shapes of a given area, their soft edges, and how clearly a change in one shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Frame = NDArray[np.uint8]
    Alpha = NDArray[np.float32]

SMALLEST, LARGEST = 0.003, 0.25
"""The area of a changed region, as a share of the frame."""
_CORNERS = 64
_DISPLAY_SIGMA = 1.2
_STEP = 8.0  # grey levels out of 255 from which on a difference counts as visible


def draw_region(size: tuple[int, int], share: float, rng: np.random.Generator) -> Alpha:
    """Return the cover, 0..1, of a random shape with about this share of a frame of this (height, width).

    Four of five are blobs, the others turned rectangles; a fifth consists of two shapes.
    """
    count = 2 if rng.random() < 0.2 else 1
    cover = np.zeros(size, np.float32)
    for _ in range(count):
        np.maximum(cover, _shape(size, share / count, rng), out=cover)
    return soften(cover, float(rng.choice((0.0, 0.0, 0.7, 1.5, 3.0))))


def soften(cover: Alpha, sigma: float) -> Alpha:
    """Return the cover with an edge blurred by `sigma` pixels."""
    import cv2

    return cover if sigma == 0 else np.asarray(cv2.GaussianBlur(cover, (0, 0), sigma), np.float32)


def shift(pixels: NDArray[Any], dx: int, dy: int, *, mirrored: bool = True) -> NDArray[Any]:
    """Return pixels moved by whole pixels; from outside come mirrored ones, or zeros."""
    import cv2

    border = cv2.BORDER_REFLECT_101 if mirrored else cv2.BORDER_CONSTANT
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return cv2.warpAffine(pixels, matrix, pixels.shape[1::-1], flags=cv2.INTER_NEAREST, borderMode=border)


def blend(below: Frame, above: NDArray[Any], cover: Alpha) -> Frame:
    """Return `above` laid over `below`, as opaque as `cover` (0..1)."""
    mixed = below + (above.astype(np.float32) - below) * cover[:, :, None]
    rounded: Frame = np.rint(np.clip(mixed, 0, 255)).astype(np.uint8)
    return rounded


def visibility(before: Frame, after: Frame, region: NDArray[np.bool_]) -> float:
    """Return the share of a region, 0..1, in which two frames differ visibly; 0 for an empty region."""
    import cv2

    if not region.any():
        return 0.0
    difference = cv2.absdiff(before, after).max(axis=2).astype(np.float32)
    return float((cv2.GaussianBlur(difference, (0, 0), _DISPLAY_SIGMA)[region] > _STEP).mean())


def _shape(size: tuple[int, int], share: float, rng: np.random.Generator) -> Alpha:
    import cv2

    outline = _rectangle() if rng.random() < 0.2 else _blob(rng)
    aspect, turn = np.exp(rng.uniform(-0.8, 0.8)), rng.uniform(0, 2 * np.pi)
    outline = outline * (np.sqrt(aspect), 1 / np.sqrt(aspect))
    outline = outline @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    outline *= np.sqrt(share * size[0] * size[1] / cv2.contourArea(outline.astype(np.float32)))
    extent = np.abs(outline).max(axis=0)
    low = np.minimum(0.7 * extent, np.array(size[::-1]) / 2)
    centre = rng.uniform(low, np.array(size[::-1]) - low)
    cover = np.zeros(size, np.uint8)
    cv2.fillPoly(cover, [np.rint((outline + centre) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return np.divide(cover, 255, dtype=np.float32)


def _blob(rng: np.random.Generator) -> NDArray[np.float64]:
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    radius = np.ones(_CORNERS)
    rough = rng.uniform(0.2, 0.9)
    for wave in range(2, 8):
        radius += rough * rng.uniform(0, 1 / wave) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    points: NDArray[np.float64] = np.stack((np.cos(angle), np.sin(angle)), axis=1)
    return np.maximum(radius, 0.2)[:, None] * points


def _rectangle() -> NDArray[np.float64]:
    return np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])
