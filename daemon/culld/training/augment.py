"""Augmentation: crop, tone, sharpening and JPEG compression, the same for clean and defective pictures.

Photos come from many cameras and in many sizes. The network must not take the traces of that for a defect.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Augmentation:
    """`crop`: which share of the frame's sides is kept and enlarged; `sharpen`: unsharp mask strength;
    `quality`: JPEG quality, None for no compression; `mirror`: left to right; `contrast`: strength of an S-curve;
    `saturation`: factor.
    """  # noqa: D205 - one sentence of names

    crop: float = 1.0
    sharpen: float = 0.0
    quality: int | None = None
    mirror: bool = False
    contrast: float = 0.0
    saturation: float = 1.0

    @classmethod
    def saved(cls) -> Augmentation:
        """The shortest way: saved as JPEG of quality 95, once."""
        return cls(quality=95)

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Augmentation:
        """A way drawn at random, as wide as ordinary photos differ."""
        crop = 1.0 if rng.random() < 0.5 else rng.uniform(0.65, 1.0)
        sharpen = 0.0 if rng.random() < 0.4 else rng.uniform(0.1, 1.2)
        quality = None if rng.random() < 0.2 else int(rng.integers(55, 97))
        return cls(float(crop), float(sharpen), quality, bool(rng.random() < 0.5))

    @classmethod
    def styled(cls, rng: np.random.Generator) -> Augmentation:
        """A way drawn at random on which the photographer's taste has its say as well: contrast and colour."""
        contrast = 0.0 if rng.random() < 0.5 else rng.uniform(-0.5, 0.6)
        saturation = 1.0 if rng.random() < 0.7 else rng.uniform(0.3, 1.4)
        return replace(cls.drawn(rng), contrast=float(contrast), saturation=float(saturation))
