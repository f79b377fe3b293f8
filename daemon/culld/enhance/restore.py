"""Repair of JPEG compression: a network over tiles of a photo, blended with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from culld.enhance.tiles import in_tiles
from culld.errors import SystemFaultError
from culld.inference.card import load_card
from culld.inference.litert import LiteRtNetwork
from culld.inference.network import as_function

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.enhance.tiles import Progress
    from culld.inference.network import Network

    Pixels = NDArray[np.uint8]

THREADS: Final = 2
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)


def open_restoration(folder: Path, threads: int = THREADS) -> LiteRtNetwork:
    """Open the restoration network of a model folder.

    Raises SystemFaultError if it cannot be loaded, does not match its card, or does not take square tiles.
    """
    card = load_card(folder)
    network = LiteRtNetwork(folder / card.file, threads=threads)
    _side(network)
    return network


def restore(pixels: Pixels, network: Network, progress: Progress | None = None, strength: float = 1.0) -> Pixels:
    """Return a photo, uint8 RGB (height, width, 3), repaired: an array of its own, of the same shape.

    `strength` 0..1 blends from the photo itself to the network's result. A photo without colour stays without.
    Raises ValueError for another strength, shape or type.
    """
    if not 0.0 <= strength <= 1.0:
        raise ValueError(f"strength {strength} is not within 0..1")
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        raise ValueError(f"a photo is uint8 (height, width, 3), not {pixels.dtype} {pixels.shape}")
    found = pixels.copy()
    if strength == 0.0:
        return found
    grey = is_grey(pixels)
    for rows, columns, repaired in in_tiles(pixels, as_function(network), _side(network), progress=progress):
        wanted = (repaired @ _LUMA)[..., None] if grey else repaired
        before = pixels[rows, columns]
        found[rows, columns] = np.clip(np.rint(before + np.float32(strength) * (wanted - before)), 0, 255)
    return found


def is_grey(pixels: Pixels) -> bool:
    """Return whether the three channels of a picture, uint8 (height, width, 3), are equal everywhere."""
    red = pixels[..., 0]
    return bool(np.array_equal(red, pixels[..., 1]) and np.array_equal(red, pixels[..., 2]))


def _side(network: Network) -> int:
    """Return the side of the tiles that a network takes; raises SystemFaultError if it takes something else."""
    inputs, outputs = network.signature.inputs, network.signature.outputs
    shapes = {spec.shape for spec in (*inputs.values(), *outputs.values())}
    shape = next(iter(shapes))
    if len(inputs) != 1 or len(outputs) != 1 or len(shapes) != 1 or shape[:1] * 2 + (3,) != shape:
        raise SystemFaultError(f"the restoration network takes no square tiles, but {', '.join(map(str, shapes))}")
    return int(shape[0])
