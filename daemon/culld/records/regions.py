"""The classes of regions of a photo: which defect a region has, if any; and how much of a photo is of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class RegionClass(StrEnum):
    """What a region of a photo is, in the order of the maps of the network; a region can be of several classes."""

    FINE = "fine"
    """Sharp, and without any of the others."""
    DEFOCUS = "defocus"
    MOTION = "motion"
    """Blurred by movement."""
    SHADOW = "shadow"
    """Crushed: no light was recorded."""
    HIGHLIGHT = "highlight"
    """Clipped: two colour channels or more are at their end."""
    BLOCKS = "blocks"
    """Blocks of compression, or bands of a quantised gradient."""
    NOISE = "noise"
    FLAT = "flat"
    """No texture: whether it is sharp cannot be told."""


REGION_CLASSES: Final = tuple(RegionClass)
"""The classes in order: the last axis of the maps of the network."""
REGION_DEFECTS: Final = tuple(each for each in RegionClass if each not in {RegionClass.FINE, RegionClass.FLAT})
"""The classes that are defects."""


@dataclass(frozen=True, slots=True)
class Regions:
    """How much of a photo has which defect, as shares of the frame, 0..1.

    `shares` has each class, `blurred` is out of focus or moved, and `sharpest` is the largest coherent region with
    sharp edges. Raises ValueError for a share that is none, or a class that is missing.
    """

    shares: Mapping[RegionClass, float]
    blurred: float
    sharpest: float

    def __post_init__(self) -> None:
        """Check all shares."""
        if set(self.shares) != set(REGION_CLASSES):
            raise ValueError("a share of each class is needed")
        if not all(0 <= share <= 1 for share in (*self.shares.values(), self.blurred, self.sharpest)):
            raise ValueError("a share is between 0 and 1")
