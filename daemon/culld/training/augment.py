"""Augmentation: crop, tone, sharpening and JPEG compression, the same for clean and defective pictures.

Photos come from many cameras and in many sizes. The traces of these differences must not raise the scores.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Augmentation:
    """The changes of a picture besides its defect; the defaults change nothing.

    `crop`: the share (0..1) of the frame's sides that is kept and enlarged. `sharpen`: strength of an unsharp mask.
    `quality`: JPEG quality, None for no compression. `mirror`: left to right. `contrast`: strength of an S-curve.
    `saturation`: factor.
    """

    crop: float = 1.0
    sharpen: float = 0.0
    quality: int | None = None
    mirror: bool = False
    contrast: float = 0.0
    saturation: float = 1.0

    @classmethod
    def jpeg(cls) -> Augmentation:
        """Return the augmentation that only saves once as JPEG of quality 95."""
        return cls(quality=95)

    @classmethod
    def random(cls, rng: np.random.Generator) -> Augmentation:
        """Return a random augmentation, as wide as ordinary photos differ, without a change of tone."""
        crop = 1.0 if rng.random() < 0.5 else rng.uniform(0.65, 1.0)
        sharpen = 0.0 if rng.random() < 0.4 else rng.uniform(0.1, 1.2)
        quality = None if rng.random() < 0.2 else int(rng.integers(55, 97))
        return cls(float(crop), float(sharpen), quality, bool(rng.random() < 0.5))

    @classmethod
    def random_toned(cls, rng: np.random.Generator) -> Augmentation:
        """Return a random augmentation that also changes contrast and saturation, as photographers do."""
        contrast = 0.0 if rng.random() < 0.5 else rng.uniform(-0.5, 0.6)
        saturation = 1.0 if rng.random() < 0.7 else rng.uniform(0.3, 1.4)
        return replace(cls.random(rng), contrast=float(contrast), saturation=float(saturation))
