"""Degradations that one kernel cannot make: rolling shutter, a turning camera, a moving subject, small files.

Images are float32 linear light (height, width, 3), 0..1, unless a function names another kind. Lengths are pixels of
the 512x384 frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from culld.training import blur_kernels
from culld.training.distortions import log_uniform

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

_FRAMES: Final = 9  # averaged by `averaged`
_BORDER: Final = 20  # a 20th of each side is cut off there: the averaged frames do not cover it


def rolling_shake(linear: Plane, rng: np.random.Generator) -> Plane:
    """Blur by a shake whose path changes from the first row to the last, as a rolling shutter reads it."""
    top, bottom = (blur_kernels.shake(log_uniform(rng, 10, 50), rng) for _ in range(2))
    share = np.linspace(0, 1, linear.shape[0], dtype=np.float32)[:, None, None]
    mixed: Plane = blur_kernels.convolve(linear, top) * (1 - share) + blur_kernels.convolve(linear, bottom) * share
    return mixed


def averaged(linear: Plane, rng: np.random.Generator) -> Plane:
    """Return the mean of frames between which the camera moves, turns and zooms, as of averaged video frames."""
    path = _camera_path(rng)
    height, width = linear.shape[:2]
    frames = [_seen_from(linear, *path(time)) for time in np.linspace(-0.5, 0.5, _FRAMES)]
    mean: Plane = np.asarray(np.mean(frames, axis=0), np.float32)
    down, right = height // _BORDER, width // _BORDER
    return _each_channel(
        mean[down:-down, right:-right], lambda plane: plane.resize((width, height), Image.Resampling.BILINEAR)
    )


def moved_subject(linear: Plane, matte: Plane, kernel: NDArray[np.float64]) -> Plane:
    """Blur the subject alone by a kernel, before its still ground; `matte` (height, width) is 1 on the subject."""
    share = np.repeat(matte[..., None], 3, axis=-1).astype(np.float32)
    subject, covered = (blur_kernels.convolve(part, kernel) for part in (linear * share, share))
    return np.clip(subject + (1 - covered) * linear, 0.0, 1.0).astype(np.float32)


def blurred_ground(linear: Plane, matte: Plane, kernel: NDArray[np.float64]) -> Plane:
    """Blur the ground alone by a kernel: bokeh, or a camera that follows its subject."""
    share = matte[..., None]
    mixed: Plane = blur_kernels.convolve(linear, kernel) * (1 - share) + linear * share
    return mixed.astype(np.float32)


def lifted(linear: Plane, stops: float, noise: Callable[[Plane], Plane]) -> Plane:
    """Return a shot that was exposed `stops` too dark and developed brighter; `noise` adds that of a sensor."""
    dark = noise((linear * np.float32(2.0**-stops)).astype(np.float32))
    bright: Plane = np.clip(dark * np.float32(2.0**stops), 0.0, 1.0).astype(np.float32)
    return bright


def small_file(
    frame: NDArray[np.uint8], longest: int, shape: float, jpeg: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """Reduce a frame, uint8 RGB, to `longest` pixels, save it by `jpeg`, and enlarge it again, as the decoder does.

    `shape` is the height of the file over its width.
    """
    height, width = frame.shape[:2]
    small = Image.fromarray(frame).resize((longest, round(longest * shape)), Image.Resampling.LANCZOS)
    return np.asarray(Image.fromarray(jpeg(np.asarray(small))).resize((width, height), Image.Resampling.BICUBIC))


def _camera_path(rng: np.random.Generator) -> Callable[[float], tuple[float, float, float, float]]:
    """Draw a path; it gives right, down (pixels), turn (radians) and zoom (factor) for a time -0.5 to 0.5."""
    speed, bend = rng.normal(0, 1, 2) * log_uniform(rng, 3, 14), rng.normal(0, 1, 2) * 12
    turn, zoom = np.deg2rad(rng.normal(0, 1) * rng.uniform(0, 2.5)), rng.normal(0, 1) * rng.uniform(0, 0.03)

    def at(time: float) -> tuple[float, float, float, float]:
        right, down = (speed * time + bend * time * time).tolist()
        return right, down, float(turn * time), float(1 + zoom * time)

    return at


def _seen_from(linear: Plane, right: float, down: float, turn: float, zoom: float) -> Plane:
    height, width = linear.shape[:2]
    cosine, sine = np.cos(turn) * zoom, np.sin(turn) * zoom
    across = width / 2 + right - (cosine * width / 2 - sine * height / 2)
    along = height / 2 + down - (sine * width / 2 + cosine * height / 2)
    places = (cosine, -sine, across, sine, cosine, along)
    return _each_channel(
        linear,
        lambda plane: plane.transform((width, height), Image.Transform.AFFINE, places, Image.Resampling.BILINEAR),
    )


def _each_channel(image: Plane, change: Callable[[Image.Image], Image.Image]) -> Plane:
    """Apply a change of one plane of floats to each channel; Pillow has no images of three float channels."""
    planes = (Image.fromarray(np.ascontiguousarray(image[..., channel])) for channel in range(3))
    return np.stack([np.asarray(change(plane), np.float32) for plane in planes], axis=-1)
