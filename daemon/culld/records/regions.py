"""The classes of regions of a photo: which defect a region has, if any."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


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
