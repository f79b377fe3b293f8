"""`ssim`: the lack of structural similarity of both frames, a plain baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culld.compare.model import Measure
from culld.imaging.quality import ssim_map

if TYPE_CHECKING:
    from culld.compare.model import ChangeMap, ChangeModel, Frame


def dissimilarity(first: Frame, second: Frame) -> ChangeMap:
    """Return one less the structural similarity of each pixel, 0..1; 1 too where both are opposites."""
    return np.clip(1 - ssim_map(first, second), 0, 1)


def _create() -> ChangeModel:
    return dissimilarity


MODEL = Measure("ssim", "lack of structural similarity", _create)
