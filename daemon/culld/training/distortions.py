"""Distortions: the four KADIS ones on sRGB values, and realistic ones in linear light.

The KADIS ones are types 2, 3, 16 and 17 of KADID-10k / KADIS-700k, at the levels of the source document.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from culld.records import Defect
from culld.training import blur_kernels, photometric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Kind(StrEnum):
    """The kind of a distortion, with the unit of its level."""

    LENS = "lens"  # KADIS type 2: disk radius, px
    STREAK = "streak"  # KADIS type 3: motion length, px
    BRIGHTEN = "brighten"  # KADIS type 16: amount
    DARKEN = "darken"  # KADIS type 17: amount
    DEFOCUS = "defocus"  # linear light: disk radius, px
    SOFT = "soft"  # linear light: Gaussian sigma, px
    MOTION = "motion"  # linear light: length, px
    SHAKE = "shake"  # linear light: length of a hand's path, px
    CAT_EYE = "cat eye"  # linear light: radius of the uncut disk, px
    EXPOSURE = "exposure"  # linear light: stops, below 0 darker
    HIGHLIGHTS = "highlights"  # linear light: stops that white had above the file's white; no defect
    RELIGHT = "relight"  # linear light: unevenness of the light in stops; no defect


KADIS_LEVELS: dict[Kind, tuple[float, ...]] = {
    Kind.LENS: (2, 4, 6),
    Kind.STREAK: (6, 10),
    Kind.BRIGHTEN: (0.7, 1.1),
    Kind.DARKEN: (0.4, 0.8),
}
"""The levels of the source document: 2-4 of type 2, 4-5 of the others."""

_BLURS = frozenset({Kind.LENS, Kind.STREAK, Kind.DEFOCUS, Kind.SOFT, Kind.MOTION, Kind.SHAKE, Kind.CAT_EYE})
_LINEAR = frozenset({Kind.DEFOCUS, Kind.SOFT, Kind.MOTION, Kind.SHAKE, Kind.CAT_EYE, Kind.EXPOSURE}) | {
    Kind.HIGHLIGHTS,
    Kind.RELIGHT,
}
_EXPOSING = frozenset({Kind.EXPOSURE, Kind.BRIGHTEN, Kind.DARKEN})


@dataclass(frozen=True, slots=True)
class Distortion:
    """One step from a clean picture to a defective one."""

    kind: Kind
    level: float

    @property
    def defect(self) -> Defect | None:
        """The defect that this step brings when it is strong enough to see; None for a change of the light."""
        if self.kind in _BLURS:
            return Defect.BLUR
        if self.kind not in _EXPOSING:
            return None
        darker = self.kind is Kind.DARKEN or (self.kind is Kind.EXPOSURE and self.level < 0)
        return Defect.UNDER if darker else Defect.OVER


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a level between two positive ones; its logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def distort(srgb: NDArray[np.float32], steps: Sequence[Distortion], rng: np.random.Generator) -> NDArray[np.float32]:
    """The picture (height, width, 3; 0..1) after these steps in order; equal generators give equal pictures.

    Between a `HIGHLIGHTS` or `RELIGHT` step and the exposure that follows it, values pass 1.
    """
    for step in steps:
        srgb = _in_linear_light(srgb, step, rng) if step.kind in _LINEAR else _on_srgb(srgb, step, rng)
    return np.clip(srgb, 0.0, 1.0)


def _on_srgb(srgb: NDArray[np.float32], step: Distortion, rng: np.random.Generator) -> NDArray[np.float32]:
    if step.kind is Kind.BRIGHTEN:
        return photometric.brighten(srgb, step.level)
    if step.kind is Kind.DARKEN:
        return photometric.darken(srgb, step.level)
    return blur_kernels.convolve(srgb, _kernel(step, rng))


def _in_linear_light(srgb: NDArray[np.float32], step: Distortion, rng: np.random.Generator) -> NDArray[np.float32]:
    linear = photometric.to_linear(srgb)
    if step.kind is Kind.EXPOSURE:
        return photometric.to_srgb(photometric.expose(linear, step.level, rng))
    if step.kind is Kind.HIGHLIGHTS:
        return photometric.to_srgb(photometric.highlights(linear, step.level))
    if step.kind is Kind.RELIGHT:
        return photometric.to_srgb(photometric.relight(linear, step.level, rng))
    return photometric.to_srgb(blur_kernels.convolve(linear, _kernel(step, rng)))


def _kernel(step: Distortion, rng: np.random.Generator) -> NDArray[np.float64]:
    if step.kind in {Kind.LENS, Kind.DEFOCUS}:
        return blur_kernels.disk(step.level)
    if step.kind is Kind.SOFT:
        return blur_kernels.gaussian(step.level)
    if step.kind is Kind.SHAKE:
        return blur_kernels.shake(step.level, rng)
    if step.kind is Kind.CAT_EYE:
        return blur_kernels.cat_eye(step.level, rng)
    return blur_kernels.motion(step.level, int(rng.integers(0, 181)))  # whole degrees 0..180, as KADIS draws them
