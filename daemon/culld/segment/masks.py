"""The masks of a photo: which region is of which class, by the network or by the rule, as the model's card says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from culld.errors import SystemFaultError
from culld.inference.card import read_card
from culld.records.regions import REGION_CLASSES, REGION_DEFECTS, RegionClass
from culld.segment import rules
from culld.segment.maps import enlarged, half_maps, open_segmentation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.inference.card import Card
    from culld.inference.network import Network

    Pixels = NDArray[np.uint8]
    Mask = NDArray[np.bool_]
    Maps = NDArray[np.float32]

BY_RULE: Final = "by_rule"
"""The key of a card's `calibration` that lists the classes for which the rule is used."""
RULES: Final[Mapping[RegionClass, Callable[[Pixels], Mask]]] = {
    RegionClass.SHADOW: rules.crushed,
    RegionClass.HIGHLIGHT: rules.clipped,
    RegionClass.FLAT: rules.flat,
}
"""The classes that a rule can tell."""
BLURRED: Final = (RegionClass.DEFOCUS, RegionClass.MOTION)
"""The kinds of blur."""
_BLOCK, _BLOCKS = 8, 2
"""The side of a block, and how many blocks a mean reaches to each side."""
_MAJORITY: Final = 2
"""How far the window of a majority reaches in maps at half of the size: 10x10 px."""
_TAKING_TEXTURE: Final = (*BLURRED, RegionClass.SHADOW, RegionClass.HIGHLIGHT)
UNDECIDED: Final = 0.6
"""The ratio of probabilities from which a region has both kinds of blur: of 0.6, 0.8 and 1 the one with the best Dice
on scenes of the calibration."""
LONGEST: Final = 1024
"""The longer side in px of the frame that a photo is segmented in; a smaller photo is not enlarged."""


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """The masks of a photo by class, bool (height, width); a region can be of several classes."""

    masks: Mapping[RegionClass, Mask]

    @property
    def shares(self) -> dict[RegionClass, float]:
        """The share of the frame of each class, 0..1."""
        return {kind: float(mask.mean()) for kind, mask in self.masks.items()}


@dataclass(frozen=True, slots=True)
class Segmenter:
    """A loaded network with its threshold for each class, and the classes for which the rule is used instead."""

    network: Network
    thresholds: Mapping[RegionClass, float]
    by_rule: frozenset[RegionClass]

    @classmethod
    def open(cls, folder: Path, threads: int = 1) -> Segmenter:
        """Load a model folder; raises SystemFaultError if it cannot be used."""
        network, card = open_segmentation(folder, threads), read_card(folder)
        try:
            return cls(network, *settings_of(card))
        except (KeyError, TypeError, ValueError) as error:
            raise SystemFaultError(f"the card in {folder} has no thresholds of regions: install culld again") from error

    def segment(self, pixels: Pixels) -> Segmentation:
        """Return the masks of a frame, uint8 RGB (height, width, 3), whose longer side is at most `LONGEST`."""
        return self.masks_of(half_maps(pixels, self.network), pixels)

    def masks_of(self, maps: Maps, pixels: Pixels) -> Segmentation:
        """Return the masks of a frame from its maps at half of its size, float32 0..1 (height / 2, width / 2, 8).

        What the network finds is where most places round a place reach the threshold: there are no specks.
        """
        reached = reached_of(maps, self.thresholds)
        found = {
            kind: RULES[kind](pixels)
            if kind in self.by_rule
            else enlarged(rules.most(reached[kind], _MAJORITY), pixels.shape[:2])
            for kind in REGION_CLASSES
        }
        return Segmentation(_exclusive(found))


def blur_of(maps: Maps) -> Maps:
    """Return the probability of blur of either kind, float32 (height, width), from maps (height, width, 8)."""
    defocus, motion = (maps[..., REGION_CLASSES.index(kind)] for kind in BLURRED)
    return 1 - (1 - defocus) * (1 - motion)


def reached_of(maps: Maps, thresholds: Mapping[RegionClass, float]) -> dict[RegionClass, Mask]:
    """Return where the maps reach their thresholds, bool (height, width).

    Both kinds of blur have one threshold, that of their union: a network that sees blur and cannot tell its kind gives
    each kind a low probability. A place has the kind that is likelier round it, and the other one as well if that is at
    least `UNDECIDED` as likely there.
    """
    found = {kind: maps[..., at] >= thresholds[kind] for at, kind in enumerate(REGION_CLASSES)}
    blurred = blur_of(maps) >= thresholds[RegionClass.DEFOCUS]
    defocus, motion = (around(maps[..., REGION_CLASSES.index(kind)] * blurred) for kind in BLURRED)
    found[RegionClass.DEFOCUS] = blurred & (defocus >= np.float32(UNDECIDED) * motion)
    found[RegionClass.MOTION] = blurred & (motion >= np.float32(UNDECIDED) * defocus)
    return found


def around(plane: Maps) -> Maps:
    """Return the mean of a plane round each place, over 40x40 places, by blocks of 8x8 that are blended."""
    height, width = plane.shape
    padded = np.pad(plane, ((0, -height % _BLOCK), (0, -width % _BLOCK)), mode="edge")
    rows, columns = (length // _BLOCK for length in padded.shape)
    blocks = np.pad(padded.reshape(rows, _BLOCK, columns, _BLOCK).mean((1, 3)), _BLOCKS, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(blocks, (2 * _BLOCKS + 1, 2 * _BLOCKS + 1))
    means = Image.fromarray(windows.mean((2, 3), dtype=np.float32))
    return np.asarray(means.resize(padded.shape[::-1], Image.Resampling.BILINEAR))[:height, :width]


def settings_of(card: Card) -> tuple[dict[RegionClass, float], frozenset[RegionClass]]:
    """Return the thresholds of a card, and the classes by rule; raises ValueError or KeyError without them."""
    limits = [float(each.tag) for each in card.thresholds]
    return dict(zip(REGION_CLASSES, limits, strict=True)), frozenset(map(RegionClass, card.calibration[BY_RULE]))


def _exclusive(found: Mapping[RegionClass, Mask]) -> dict[RegionClass, Mask]:
    """Return masks of which no two contradict: what has lost its texture by a defect was not without, fine is the rest.

    Noise and blocks on a surface without texture stay beside it.
    """
    spoilt = np.logical_or.reduce([found[kind] for kind in REGION_DEFECTS])
    lost = np.logical_or.reduce([found[kind] for kind in _TAKING_TEXTURE])
    flat = found[RegionClass.FLAT] & ~lost
    return {**found, RegionClass.FLAT: flat, RegionClass.FINE: ~(spoilt | flat)}
