"""Luma planes of photographs: blurred in linear light, then moved, mosaicked, sharpened, noisy and compressed.

A plane is float32 (height, width) in grey levels 0..255. Noise is that of the luma: 8 of it is 12 in each channel.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from culld.training import blur_kernels
from culld.training.photometric import to_linear, to_srgb

Plane = NDArray[np.float32]

BLURS = (
    ("none", 0.0),
    *(("Gaussian", sigma) for sigma in (1, 2, 3, 5)),
    *(("disk", radius) for radius in (1, 2, 4)),
    *(("motion", length) for length in (3, 6, 12)),
)
"""The kernels by name and size in pixels; the angle of a motion is random, and `none` makes frames of one sharpness."""


@dataclass(frozen=True)
class Take:
    """What happens to a frame after the lens.

    `turn` in degrees and `shift` (x, y) in px move it. `noise` is a standard deviation in grey levels, `quality` that
    of JPEG. `mosaic` puts the noise before a bilinear demosaicing. `halo` is the amount in percent of an unsharp mask
    of 1 px. `scale` resizes it.
    """

    noise: float = 0.0
    quality: int | None = None
    turn: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    mosaic: bool = False
    halo: int = 0
    scale: float = 1.0


def luma_of(path: Path) -> Plane:
    """Return the luma of a photo."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), np.float32)


def blurred(plane: Plane, blur: tuple[str, float], rng: np.random.Generator) -> Plane:
    """Return a plane convolved in linear light."""
    name, size = blur
    if name == "none":
        return plane
    if name == "Gaussian":
        kernel = blur_kernels.gaussian(size)
    elif name == "disk":
        kernel = blur_kernels.disk(size)
    else:
        kernel = blur_kernels.motion(size, rng.uniform(0, 180))
    light = blur_kernels.convolve(to_linear(plane[..., None] / np.float32(255)), kernel)
    return to_srgb(light)[..., 0] * np.float32(255)


def taken(plane: Plane, take: Take, seed: int) -> NDArray[np.uint8]:
    """Return the pixels of a frame."""
    rng = np.random.default_rng(seed)
    moved = _moved(plane, take)
    noisy = moved + rng.normal(0, take.noise, moved.shape).astype(np.float32) if take.noise else moved
    if take.mosaic:
        noisy = moved + _demosaicked(noisy - moved, rng)
    image = Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    if take.halo:
        image = image.filter(ImageFilter.UnsharpMask(1, take.halo, 0))
    if take.scale != 1:
        size = (round(image.width * take.scale), round(image.height * take.scale))
        image = image.resize(size, Image.Resampling.LANCZOS)
    if take.quality:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=take.quality)
        image = Image.open(stream)
    return np.asarray(image, np.uint8)


def seed_of(name: str) -> int:
    """Return a number that depends on a name alone."""
    return zlib.crc32(name.encode())


def _moved(plane: Plane, take: Take) -> Plane:
    """Return a plane turned and shifted, without the border that the movement leaves open."""
    if not take.turn and take.shift == (0.0, 0.0):
        return plane
    whole = Image.fromarray(plane)
    turned = whole.rotate(take.turn, Image.Resampling.BICUBIC, translate=take.shift)  # type: ignore[arg-type]
    border = round(max(plane.shape) * 0.02 + 8)
    return np.asarray(turned, np.float32)[border:-border, border:-border]


def _demosaicked(noise: Plane, rng: np.random.Generator) -> Plane:
    """Return the luma noise of a Bayer sensor with independent noise, after a bilinear demosaicing.

    Half of the pixels know green and a quarter red or blue; the others are means of their neighbours.
    """
    height, width = noise.shape
    y, x = np.mgrid[:height, :width]
    total = np.zeros_like(noise)
    red, blue = (y % 2 == 0) & (x % 2 == 0), (y % 2 == 1) & (x % 2 == 1)
    for known, weight in ((~red & ~blue, 0.587), (red, 0.299), (blue, 0.114)):
        own = np.where(known, noise if weight == 0.587 else noise.std() * rng.standard_normal(noise.shape), 0)
        near = _neighbours(own.astype(np.float32)) / np.maximum(_neighbours(known.astype(np.float32)), 1e-6)
        total += np.float32(weight) * np.where(known, own, near).astype(np.float32)
    return total


def _neighbours(plane: Plane) -> Plane:
    padded = np.pad(plane, 1, mode="wrap")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    return np.asarray(rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:], np.float32)
