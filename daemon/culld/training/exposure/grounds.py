"""Drawn grounds: paper, studio, sky, snow; black cloth, a dark room, night. float32 sRGB (height, width, 3), 0..1."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[np.float32]


class GroundKind(StrEnum):
    """The kind of a drawn ground."""

    PAPER = "paper"  # even white, most often of exactly 255
    STUDIO = "studio"  # white paper in uneven light
    SKY = "sky"  # a pale gradient from top to bottom
    SNOW = "snow"  # bright, with a weak texture
    CLOTH = "cloth"  # even black
    ROOM = "room"  # dark, in uneven light
    NIGHT = "night"  # black with noise and a few lights


WHITE_GROUNDS = (GroundKind.PAPER, GroundKind.STUDIO, GroundKind.SKY, GroundKind.SNOW)
BLACK_GROUNDS = (GroundKind.CLOTH, GroundKind.ROOM, GroundKind.NIGHT)


def draw(kind: GroundKind, shape: tuple[int, int], rng: np.random.Generator) -> Picture:
    """Draw a ground of this kind and (height, width)."""
    tint = (1 + rng.normal(0, 0.012, 3)).astype(np.float32)
    if kind is GroundKind.PAPER:
        level = 1.0 if rng.random() < 0.6 else rng.uniform(0.93, 1.0)
        plane = np.full(shape, level, np.float32)
        tint = np.ones(3, np.float32) if level == 1.0 else tint
    elif kind is GroundKind.STUDIO:
        plane = _uneven(shape, rng.uniform(0.9, 1.06), rng.uniform(0.02, 0.12), rng)
    elif kind is GroundKind.SKY:
        plane, tint = _sky(shape, rng), np.array([rng.uniform(0.86, 1.0), rng.uniform(0.95, 1.0), 1.0], np.float32)
    elif kind is GroundKind.SNOW:
        plane, tint = _snow(shape, rng), np.array([rng.uniform(0.94, 1.0), rng.uniform(0.97, 1.0), 1.0], np.float32)
    elif kind is GroundKind.CLOTH:
        plane = np.full(shape, rng.uniform(0.0, 0.06), np.float32)
    elif kind is GroundKind.ROOM:
        plane = _uneven(shape, rng.uniform(0.03, 0.14), rng.uniform(0.01, 0.06), rng)
    else:
        plane = _night(shape, rng)
    noise = rng.standard_normal((*shape, 1), dtype=np.float32) * np.float32(rng.uniform(0, 0.01))
    return np.asarray(np.clip(plane[..., None] * tint + noise, 0, 1), np.float32)


def _uneven(shape: tuple[int, int], level: float, depth: float, rng: np.random.Generator) -> Picture:
    rows, columns = np.mgrid[0 : 1 : shape[0] * 1j, 0 : 1 : shape[1] * 1j]
    slope = rng.normal(0, 1, 2)
    field = slope[0] * (rows - 0.5) + slope[1] * (columns - 0.5)
    field -= rng.uniform(0, 2) * ((rows - 0.5) ** 2 + (columns - 0.5) ** 2)
    return np.asarray(level + depth * field, np.float32)


def _sky(shape: tuple[int, int], rng: np.random.Generator) -> Picture:
    ramp = np.linspace(rng.uniform(0.8, 1.0), rng.uniform(0.9, 1.08), shape[0])[:, None]
    return (ramp + 0.3 * (_uneven(shape, 0.0, rng.uniform(0, 0.1), rng))).astype(np.float32)


def _snow(shape: tuple[int, int], rng: np.random.Generator) -> Picture:
    total = sum(smooth_noise(shape, step, rng) * rng.uniform(0.005, 0.03) for step in (3, 16, 64))
    return np.asarray(_uneven(shape, rng.uniform(0.86, 1.0), rng.uniform(0.0, 0.1), rng) + total, np.float32)


def smooth_noise(shape: tuple[int, int], step: int, rng: np.random.Generator) -> Picture:
    """Draw normal noise of this (height, width) whose values lie `step` pixels apart, with even slopes between."""
    coarse = rng.standard_normal((shape[0] // step + 2, shape[1] // step + 2), dtype=np.float32)
    return enlarged(coarse, shape, step)


def enlarged(coarse: Picture, shape: tuple[int, int], step: int) -> Picture:
    """Enlarge a plane by `step`, with even slopes between its values, to this (height, width)."""
    for axis, size in enumerate(shape):
        place = np.minimum(np.arange(size, dtype=np.float32) / step, coarse.shape[axis] - 1.001)
        below = place.astype(int)
        share = np.expand_dims(place - below, 1 - axis)
        coarse = coarse.take(below, axis) * (1 - share) + coarse.take(below + 1, axis) * share
    return coarse


def _night(shape: tuple[int, int], rng: np.random.Generator) -> Picture:
    plane = _uneven(shape, rng.uniform(0.0, 0.08), rng.uniform(0, 0.03), rng)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    for _ in range(int(rng.integers(0, 12))):
        row, column = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        level = rng.uniform(0.2, 1)
        lamp = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * rng.uniform(1, 6) ** 2))
        plane += (level * lamp).astype(np.float32)
    return plane
