"""`absdiff`: the absolute difference of both frames, a plain baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culld.compare.model import Measure

if TYPE_CHECKING:
    from culld.compare.model import ChangeMap, ChangeModel, Frame


def difference(first: Frame, second: Frame) -> ChangeMap:
    """Return the largest difference of a pixel's channels, as a share of 255."""
    import cv2

    return np.asarray(cv2.absdiff(first, second).max(axis=2) / 255, np.float32)


def _create() -> ChangeModel:
    return difference


MODEL = Measure("absdiff", "absolute difference of the pixels", _create)
