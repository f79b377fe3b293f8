"""Pictures rendered out of clean frames: distorted, augmented, saved as JPEG; and which labels they show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culld.training import blur_kernels, photometric
from culld.training.distortions import distort

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from culld.training.augment import Augmentation
    from culld.training.dataset import Sample

    Jpeg = Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]

_DARK, _BRIGHT, _BURNT, _SEEN = 0.33, 0.7, 0.03, 0.4


def render(frame: NDArray[np.uint8], sample: Sample, jpeg: Jpeg) -> NDArray[np.uint8]:
    """Make the picture that a sample describes out of the scene's clean frame; same sample, same picture.

    `jpeg` saves pixels with a quality and reads them again.
    """
    rng = np.random.default_rng(sample.seed)
    srgb = _cropped(frame.astype(np.float32) / np.float32(255), sample.augmentation, rng)
    srgb = sharpened(_toned(distort(srgb, sample.steps, rng), sample.augmentation), sample.augmentation.sharpen)
    pixels = np.round(srgb * 255).astype(np.uint8)
    return pixels if sample.augmentation.quality is None else jpeg(pixels, sample.augmentation.quality)


def visible_labels(pixels: NDArray[np.uint8], sample: Sample) -> NDArray[np.bool_]:
    """Return which of the sample's labels its finished picture shows; an exposure defect may not be visible.

    Nor can blur be seen where nearly everything is black or white. Three stops more turn a dark room into an ordinary
    picture, which must not be labelled over-exposed.
    """
    holds = np.array(sample.known)
    srgb = pixels[::4, ::4].astype(np.float32) / np.float32(255)
    luma = photometric.luma(srgb)
    if sample.labels[0] and ((luma > 0.06) & (luma < 0.97)).mean() < _SEEN:
        holds[0] = False
    if sample.labels[1] and luma.mean() > _DARK:
        holds[1] = False
    if sample.labels[2] and luma.mean() < _BRIGHT and (srgb.min(axis=-1) > 0.98).mean() < _BURNT:
        holds[2] = False
    return holds


def _cropped(srgb: NDArray[np.float32], augmentation: Augmentation, rng: np.random.Generator) -> NDArray[np.float32]:
    if augmentation.mirror:
        srgb = srgb[:, ::-1]
    if augmentation.crop >= 1.0:
        return np.ascontiguousarray(srgb)
    for axis in (0, 1):
        size = srgb.shape[axis]
        kept = augmentation.crop * (size - 1)
        place = rng.uniform(0, size - 1 - kept) + np.linspace(0, kept, size)
        below = np.minimum(place.astype(int), size - 2)
        share = np.expand_dims((place - below).astype(np.float32), (1, 2) if axis == 0 else (0, 2))
        srgb = srgb.take(below, axis) * (1 - share) + srgb.take(below + 1, axis) * share
    return srgb


def _toned(srgb: NDArray[np.float32], augmentation: Augmentation) -> NDArray[np.float32]:
    if augmentation.contrast:
        srgb = photometric.contrast(srgb, augmentation.contrast)
    return srgb if augmentation.saturation == 1.0 else photometric.saturate(srgb, augmentation.saturation)


def sharpened(srgb: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
    """Apply an unsharp mask, as cameras and phones do."""
    if not strength:
        return srgb
    return np.clip(srgb + np.float32(strength) * (srgb - blur_kernels.small_blur(srgb)), 0.0, 1.0)
