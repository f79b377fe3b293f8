"""Portraits whose people or whose ground is out of focus, for the fit and the measurement of missed focus.

Photos with a face of at least 60 pixels are used; their people, or their ground, are convolved by a disk in linear
light behind a soft matte, and saved as JPEG.
"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from culld.subject.faces import Face, FaceDetector
from culld.training.blur_kernels import disk, motion
from culld.training.faces.composites import ground_blurred, people_blurred, people_matte
from culld.training.photometric import to_linear, to_srgb

MIN_SCORE, MIN_PIXELS = 0.8, 60
RADII = (0.01, 0.02, 0.04, 0.08)
"""Of the disk, in heights of the face; as diameters they are 2, 4, 8 and 16 %."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Portrait:
    """A photo with its main face; `height` is that of the face in pixels, `people` are the boxes of all in pixels."""

    name: str
    pixels: Pixels
    main: Face
    height: float
    people: list[tuple[float, float, float, float]]

    @property
    def source(self) -> str:
        """The folder of the photo."""
        return self.name.partition("/")[0]


def half_of(name: str) -> int:
    """Return 0 or 1 for the name of a photo."""
    return zlib.crc32(name.encode()) % 2


def portraits(photos: Path, half: int, detector: FaceDetector) -> Iterator[Portrait]:
    """Yield the photos of a half with a face that is sure and large enough."""
    for file in sorted(photos.rglob("*.jpg")):
        name = str(file.relative_to(photos))
        if half_of(name) != half:
            continue
        with Image.open(file) as photo:
            pixels = np.asarray(photo.convert("RGB"))
        tall, wide, _ = pixels.shape
        faces = detector.detect_thoroughly(pixels)
        if not any(face.score >= MIN_SCORE and face.box[3] * tall >= MIN_PIXELS for face in faces):
            continue
        main = max(faces, key=lambda face: face.box[3])
        x, y, w, h = (np.array([face.box for face in faces]) * (wide, tall, wide, tall)).T
        people = [box for box in zip(x, y, w, h, strict=True) if box[3] > 0.3 * h.max()]
        yield Portrait(name, pixels, main, float(h.max()), people)


def versions(portrait: Portrait) -> Iterator[tuple[str, Pixels]]:
    """Yield the versions that are measured, by name."""
    linear = to_linear(portrait.pixels.astype(np.float32) / 255)
    matte = people_matte(portrait.pixels.shape[:2], portrait.people)
    rng = np.random.default_rng(zlib.crc32(portrait.name.encode()))
    yield "clean", portrait.pixels
    yield "clean, JPEG 75", saved(portrait.pixels / np.float32(255), 75)
    yield "clean, noise 4", saved(noisy(portrait.pixels / np.float32(255), 4, rng))
    for radius in RADII:
        kernel = disk(radius * portrait.height)
        yield f"bokeh {radius:.0%}", saved(to_srgb(ground_blurred(linear, matte, kernel)))
        blurred = to_srgb(people_blurred(linear, matte, kernel))
        yield f"out of focus {radius:.0%}", saved(blurred)
        if radius in RADII[1:3]:
            yield f"out of focus {radius:.0%}, noise 4", saved(noisy(blurred, 4, rng))
    for length in (0.06, 0.12):
        kernel = motion(length * portrait.height + 1, rng.uniform(0, 180))
        yield f"moved {length:.0%}", saved(to_srgb(people_blurred(linear, matte, kernel)))


def draws(portrait: Portrait) -> Iterator[tuple[float, float, Pixels]]:
    """Yield (label, weight, pixels) of the versions that are fitted: random radius, noise, JPEG quality and size."""
    linear = to_linear(portrait.pixels.astype(np.float32) / 255)
    matte = people_matte(portrait.pixels.shape[:2], portrait.people)
    rng = np.random.default_rng(zlib.crc32(portrait.name.encode()) + 1)
    yield 0.0, 2.0, portrait.pixels
    for number in range(4):
        clean = portrait.pixels / np.float32(255)
        if number % 2:
            kernel = disk(math.exp(rng.uniform(math.log(0.01), math.log(0.1))) * portrait.height)
            clean = to_srgb(ground_blurred(linear, matte, kernel))
        yield 0.0, 1.0, degraded(clean, rng, number > 1)
    for number in range(6):
        radius = math.exp(rng.uniform(math.log(0.016), math.log(0.09 if number % 2 else 0.03)))
        blurred = to_srgb(people_blurred(linear, matte, disk(radius * portrait.height)))
        yield 1.0, 1.0, degraded(blurred, rng, number > 3)


def degraded(srgb: NDArray[np.float32], rng: np.random.Generator, small: bool) -> Pixels:  # noqa: FBT001
    """Return a photo saved as JPEG, with noise in half of the cases, and reduced by up to the half if `small`."""
    pixels = saved(noisy(srgb, rng.uniform(1, 8), rng) if rng.uniform() < 0.5 else srgb, int(rng.integers(75, 97)))
    if not small:
        return pixels
    scale = rng.uniform(0.5, 1)
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def noisy(srgb: NDArray[np.float32], levels: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Add noise of so many grey levels."""
    return srgb + rng.standard_normal(srgb.shape, np.float32) * np.float32(levels / 255)


def saved(srgb: NDArray[np.float32], quality: int = 92) -> Pixels:
    """Return a picture as JPEG of this quality shows it."""
    stream = io.BytesIO()
    Image.fromarray((srgb * 255).round().clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=quality)
    with Image.open(stream) as photo:
        return np.asarray(photo.convert("RGB"))
