"""Subjects on drawn grounds: the label follows the exposure of the subject, whatever the ground is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culld.training import photometric
from culld.training.exposure.grounds import BLACK_GROUNDS, WHITE_GROUNDS, GroundKind, draw, enlarged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

_DARK, _BRIGHT, _BURNT = 0.3, 0.7, 0.05
_TO_LINEAR = photometric.to_linear(np.arange(256, dtype=np.float32) / np.float32(255))
_TO_PIXELS = np.round(photometric.to_srgb(np.linspace(0, 1, 16384, dtype=np.float32)) * 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Composite:
    """A frame, uint8 RGB, with its labels for under and over; a label that cannot be seen is None."""

    frame: NDArray[np.uint8]
    group: str
    under: bool | None
    over: bool | None


def composites(frame: NDArray[np.uint8], matte: Plane, rng: np.random.Generator) -> Iterator[Composite]:
    """Set the subject of a clean frame on grounds: well exposed, over- and under-exposed, on white and on black."""
    linear = _TO_LINEAR[frame]
    white, black = (GroundKind(rng.choice(kinds)) for kinds in (WHITE_GROUNDS, BLACK_GROUNDS))
    for kind in (GroundKind(rng.choice(WHITE_GROUNDS)), white, black):
        yield _composite(linear, matte, kind, rng.uniform(-0.5, 0.35), rng)
    for kind in (white, black):
        yield _composite(linear, matte, kind, rng.uniform(1.5, 4.0), rng)
        yield _composite(linear, matte, kind, rng.uniform(-5.0, -1.5), rng)


def _composite(linear: Plane, matte: Plane, kind: GroundKind, stops: float, rng: np.random.Generator) -> Composite:
    subject = photometric.expose(linear, stops, rng)
    share = matte[..., None]
    ground = _shadowed(draw(kind, matte.shape, rng), matte, rng)
    mixed = share * subject + (1 - share) * _TO_LINEAR[np.round(ground * 255).astype(np.uint8)]
    pixels = _TO_PIXELS[np.round(mixed * (len(_TO_PIXELS) - 1)).astype(np.int32)]
    under, over = _labels(photometric.to_srgb(subject[::4, ::4][matte[::4, ::4] > 0.9]), stops)
    side = "white" if kind in WHITE_GROUNDS else "black"
    shift = "well" if abs(stops) < 1 else "over" if stops > 0 else "under"
    return Composite(pixels, f"{shift} on {side}", under, over)


def _shadowed(ground: Plane, matte: Plane, rng: np.random.Generator) -> Plane:
    """Draw the soft shadow of the subject on half of the grounds."""
    if rng.random() < 0.5:
        return ground
    coarse: Plane = np.roll(matte, rng.integers(-24, 25, 2), axis=(0, 1))[::16, ::16]
    for axis in (0, 1, 0, 1):
        coarse = (np.roll(coarse, 1, axis) + coarse + np.roll(coarse, -1, axis)) / np.float32(3)
    shade = enlarged(np.pad(coarse, ((0, 1), (0, 1)), mode="edge"), matte.shape, 16)[..., None]
    return (ground * (1 - np.float32(rng.uniform(0.05, 0.4)) * shade)).astype(np.float32)


def _labels(subject: Plane, stops: float) -> tuple[bool | None, bool | None]:
    """Return the labels for under and over of subject pixels (n, 3); a shift that does not show has none."""
    if abs(stops) < 1:
        return False, False
    luma = photometric.luma(subject)
    if stops > 0:
        return False, True if luma.mean() > _BRIGHT or (subject.min(axis=-1) > 0.98).mean() > _BURNT else None
    return True if luma.mean() < _DARK else None, False
