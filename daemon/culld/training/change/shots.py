"""What differs between two shots of an unchanged scene: warp, refocus, light, noise and JPEG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from culld.training.change.regions import draw_region, soften

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.training.change.regions import Alpha, Frame

_GAMMA = 2.2
_TO_LINEAR = (np.arange(256, dtype=np.float32) / 255) ** _GAMMA


def crop(photo: Frame, size: tuple[int, int], rng: np.random.Generator) -> Frame:
    """Return a random part of a photo as a frame of this (height, width), mirrored at times.

    The scale lies between that at which the frame shows as much as possible of the photo and that of the photo itself.
    """
    import cv2

    least = max(size[0] / photo.shape[0], size[1] / photo.shape[1])
    scale = float(np.exp(rng.uniform(np.log(least), max(np.log(least), 0.0))))
    wide, high = max(round(photo.shape[1] * scale), size[1]), max(round(photo.shape[0] * scale), size[0])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = photo if (high, wide) == photo.shape[:2] else cv2.resize(photo, (wide, high), interpolation=how)
    top, left = int(rng.integers(high - size[0] + 1)), int(rng.integers(wide - size[1] + 1))
    part = scaled[top : top + size[0], left : left + size[1]]
    return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)


def random_warp(size: tuple[int, int], pixels: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a homography (3, 3) that moves each corner of a frame of this (height, width) by up to `pixels`."""
    import cv2

    corners = np.array([[0, 0], [size[1], 0], [size[1], size[0]], [0, size[0]]], np.float32)
    common, own = rng.uniform(-0.7, 0.7, (1, 2)) * pixels, rng.uniform(-0.3, 0.3, (4, 2)) * pixels
    moved = (corners + common + own).astype(np.float32)
    return np.asarray(cv2.getPerspectiveTransform(corners, moved), np.float64)


def warp(pixels: NDArray[Any], matrix: NDArray[np.float64], *, empty_border: bool = False) -> NDArray[Any]:
    """Return warped pixels of the same size; the border is mirrored, or black where nothing lies."""
    import cv2

    border = cv2.BORDER_CONSTANT if empty_border else cv2.BORDER_REFLECT_101
    return cv2.warpPerspective(pixels, matrix, pixels.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=border)


def refocus(frame: Frame, rng: np.random.Generator) -> tuple[Frame, NDArray[np.bool_]]:
    """Return the frame blurred by a disk of 0.8 to 6 px in linear light, and where: everywhere or in a region."""
    radius = float(np.exp(rng.uniform(np.log(0.8), np.log(6))))
    where = np.ones(frame.shape[:2], np.float32)
    if rng.random() < 0.5:
        where = soften(draw_region(frame.shape[:2], rng.uniform(0.1, 0.6), rng), rng.uniform(1, 8))
        where = 1 - where if rng.random() < 0.3 else where
    linear: NDArray[np.float32] = np.take(_TO_LINEAR, frame).astype(np.float32, copy=False)
    linear += (disk_blur(linear, radius) - linear) * where[:, :, None]
    return _to_display(linear), where > 0.5


def disk_blur(linear: NDArray[np.float32], radius: float) -> NDArray[np.float32]:
    """Return pixels blurred by a disk of this radius in pixels, with a smooth edge of one pixel."""
    import cv2

    reach = int(np.ceil(radius + 0.5))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(rows, columns), 0, 1)
    return np.asarray(cv2.filter2D(linear, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101), np.float32)


def develop(frame: Frame, rng: np.random.Generator) -> Frame:
    """Return the frame as another exposure of the same scene: light, white balance, contrast, noise and JPEG differ."""
    import cv2

    exposure = np.clip(rng.normal(0, 0.3), -0.9, 0.9) + rng.normal(0, 0.05, 3)
    linear = _TO_LINEAR[frame] * np.exp2(exposure).astype(np.float32)
    if rng.random() < 0.3:
        linear *= _uneven_light(frame.shape[:2], rng)[:, :, None]
    shown = cv2.pow(np.clip(linear, 0, 1), float(np.exp(rng.normal(0, 0.08)) / _GAMMA)) * 255
    shown += rng.standard_normal(frame.shape, np.float32) * np.float32(rng.uniform(0, 5) if rng.random() < 0.8 else 0)
    pixels = np.rint(np.clip(shown, 0, 255)).astype(np.uint8)
    return _jpeg(pixels, int(rng.integers(60, 98)))


def _jpeg(pixels: Frame, quality: int) -> Frame:
    import cv2

    coded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def _uneven_light(size: tuple[int, int], rng: np.random.Generator) -> Alpha:
    """Return a smooth field of gains within half a stop."""
    import cv2

    coarse = rng.uniform(-0.5, 0.5, (3, 3)).astype(np.float32)
    return np.exp2(np.asarray(cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC), np.float32))


def _to_display(linear: NDArray[np.float32]) -> Frame:
    import cv2

    return np.rint(cv2.pow(np.clip(linear, 0, 1), 1 / _GAMMA) * 255).astype(np.uint8)
