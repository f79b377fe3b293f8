"""Degraded photos with their clean originals: all of a photo degraded, or one region of it with an exact mask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from culld.cli.model_common import decode_file
from culld.imaging.encode import jpeg_roundtrip
from culld.records import Defect
from culld.training import blur_kernels, photometric
from culld.training.dataset import Scene, number_of
from culld.training.distortions import log_uniform

SEED = 7
QUALITY = 90
AREA = (0.10, 0.25)
"""The share of the photo that a degraded region covers."""

Frame = NDArray[np.uint8]
Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pair:
    """The clean frame of a scene, and degraded ones: everywhere, and inside `mask` (384, 512) only."""

    file: str
    clean: Frame
    whole: Frame
    local: Frame
    mask: NDArray[np.bool_]


def chosen(scenes: Sequence[Scene], count: int) -> list[Scene]:
    """Return so many scenes that are no hard negatives (nights, high-key, bokeh), in an order without meaning."""
    usable = [scene for scene in scenes if not scene.hard]
    return [usable[place] for place in np.random.default_rng(SEED).permutation(len(usable))[:count]]


def pairs(photos: Path, scenes: Sequence[Scene], defect: Defect) -> Iterator[Pair]:
    """Yield the pictures of each scene for a defect; the same ones in every run."""
    for scene in scenes:
        rng = np.random.default_rng(number_of(SEED, f"explain {defect}", scene.file))
        frame = decode_file(photos / scene.file)
        linear = photometric.to_linear(frame.astype(np.float32) / np.float32(255))
        whole, part = (_pixels(_degraded(linear, defect, rng)) for _ in range(2))
        mask = _region(frame.shape[:2], rng)
        local = np.where(mask[..., None], part, frame)
        yield Pair(scene.file, *(jpeg_roundtrip(each, QUALITY) for each in (frame, whole, local)), mask)


def _degraded(linear: Plane, defect: Defect, rng: np.random.Generator) -> Plane:
    """Blur as a lens, softness or motion make it, or a wrong exposure, clearly visible."""
    if defect is not Defect.BLUR:
        stops = rng.uniform(-4.5, -2) if defect is Defect.UNDER else rng.uniform(1.5, 3.5)
        return photometric.expose(linear, float(stops), rng)
    ways = (
        lambda: blur_kernels.disk(log_uniform(rng, 2.2, 9)),
        lambda: blur_kernels.gaussian(log_uniform(rng, 1.5, 5)),
        lambda: blur_kernels.motion(log_uniform(rng, 8, 30), float(rng.uniform(0, 180))),
    )
    return blur_kernels.convolve(linear, ways[int(rng.integers(len(ways)))]())


def _pixels(linear: Plane) -> Frame:
    return photometric.to_pixels(photometric.to_srgb(linear))


def _region(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.bool_]:
    """A rectangle of an area and a shape drawn at random."""
    area, ratio = rng.uniform(*AREA), np.exp(rng.uniform(-0.5, 0.5))
    tall = min(0.95, float(np.sqrt(area * ratio)))
    wide = float(area / tall)
    top, left = rng.uniform(0, 1 - tall), rng.uniform(0, 1 - wide)
    mask = np.zeros(shape, np.bool_)
    rows = slice(round(top * shape[0]), round((top + tall) * shape[0]))
    mask[rows, round(left * shape[1]) : round((left + wide) * shape[1])] = True
    return mask
