"""The maps of a photo: the probability of each class of region, from the network over overlapping tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.errors import SystemFaultError
from culld.inference.card import load_card
from culld.inference.litert import LiteRtNetwork
from culld.inference.network import as_function
from culld.records.regions import REGION_CLASSES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.inference.network import Network

    Pixels = NDArray[np.uint8]
    Maps = NDArray[np.float32]

OVERLAP: Final = 64
"""Tiles overlap by so many px; the weight of a tile falls to its borders, so that no seam can be seen."""

SCALE: Final = 2
"""The maps of a tile are smaller than the tile by this."""


def open_segmentation(folder: Path, threads: int = 1) -> LiteRtNetwork:
    """Open the segmentation network of a model folder.

    Raises SystemFaultError if it cannot be loaded, does not match its card, has other classes, or takes no square
    tiles.
    """
    card = load_card(folder)
    if card.labels != tuple(REGION_CLASSES):
        raise SystemFaultError(
            f"the model in {folder} has other classes of regions than this culld: install culld again"
        )
    network = LiteRtNetwork(folder / card.file, threads=threads)
    _side(network)
    return network


def maps_of(pixels: Pixels, network: Network) -> Maps:
    """Return the maps of a picture, uint8 RGB (height, width, 3): float32 0..1 (height, width, 8).

    Those of the network have half of the size: each value stands for 2x2 pixels.
    """
    return enlarged(half_maps(pixels, network), pixels.shape[:2])


def half_maps(pixels: Pixels, network: Network) -> Maps:
    """Return the maps of a picture, uint8 RGB (height, width, 3), at half of its size, rounded up: float32 0..1."""
    side, run = _side(network), as_function(network)
    height, width = pixels.shape[:2]
    lower, wider = (max(0, side - length, length % SCALE) for length in (height, width))
    padded = np.pad(pixels, ((0, lower), (0, wider), (0, 0)), mode="symmetric")
    size = tuple(length // SCALE for length in padded.shape[:2])
    total: Maps = np.zeros((*size, len(REGION_CLASSES)), np.float32)
    weights: Maps = np.zeros((*size, 1), np.float32)
    tent = _tent(side // SCALE)
    for top in starts(padded.shape[0], side):
        for left in starts(padded.shape[1], side):
            tile = np.ascontiguousarray(padded[top : top + side, left : left + side])
            place = tuple(slice(start // SCALE, (start + side) // SCALE) for start in (top, left))
            total[place] += run(tile) * tent
            weights[place] += tent
    mean: Maps = (total / weights)[: -(-height // SCALE), : -(-width // SCALE)]
    return mean


def enlarged(values: NDArray[Any], size: tuple[int, ...]) -> NDArray[Any]:
    """Return values at half of a size (height, width, ...) in that size: each is repeated."""
    return values.repeat(SCALE, axis=0).repeat(SCALE, axis=1)[: size[0], : size[1]]


def starts(length: int, side: int) -> tuple[int, ...]:
    """Return where tiles of this side begin along an axis of `length` px, at least a side; neighbours overlap.

    Of even lengths they begin at even places.
    """
    count = 1 + max(0, -(-(length - side) // (side - OVERLAP)))
    return tuple(int(place) // SCALE * SCALE for place in np.linspace(0, length - side, count))


def _tent(side: int) -> Maps:
    """Return the weight of each place of the maps of a tile, (side, side, 1): 1 inside, near 0 at the borders."""
    ramp = np.minimum(np.arange(side) + 0.5, np.arange(side)[::-1] + 0.5) * SCALE / OVERLAP
    line = np.minimum(ramp, 1).astype(np.float32)
    tent: Maps = (line[:, None] * line)[..., None]
    return tent


def _side(network: Network) -> int:
    """Return the side of the tiles that a network takes; raises SystemFaultError if it takes something else."""
    inputs, outputs = (list(each.values()) for each in (network.signature.inputs, network.signature.outputs))
    shape = inputs[0].shape
    fits = len(inputs) == len(outputs) == 1 and shape == (shape[0], shape[0], 3)
    if (
        not fits
        or outputs[0].shape != (*(length // SCALE for length in shape[:2]), len(REGION_CLASSES))
        or shape[0] <= OVERLAP
    ):
        raise SystemFaultError(f"the segmentation network takes no square tiles, but {inputs[0]}")
    return int(shape[0])
