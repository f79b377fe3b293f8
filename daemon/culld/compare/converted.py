"""Trained networks of change, run by LiteRT without TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culld.inference.card import load_card, require_network
from culld.inference.litert import LiteRtNetwork
from culld.inference.network import ArraySpec, Signature
from culld.records.frame import HEIGHT, WIDTH

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.compare.model import ChangeMap, Frame

LABELS = ("change",)
_FRAME = ArraySpec((HEIGHT, WIDTH, 3), "uint8")
_SIGNATURE = Signature({"first": _FRAME, "second": _FRAME}, {"change": ArraySpec((HEIGHT, WIDTH, 1), "float32")})


class ConvertedNetwork:
    """A `ChangeModel` from a model folder; not to be shared between threads."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Load the model; raises SystemFaultError if it is missing, damaged, or takes other frames."""
        card = load_card(folder)
        require_network(folder, card, (WIDTH, HEIGHT), LABELS)
        self._network = LiteRtNetwork(folder / card.file, _SIGNATURE, threads)

    def __call__(self, first: Frame, second: Frame) -> ChangeMap:
        """Return the probability of change of each pixel, see `ChangeModel`.

        Portrait frames are turned by 90 degrees. Then frames are scaled to 512x384 whatever their aspect, and the map
        is scaled back.
        """
        import cv2

        upright = first.shape[0] > first.shape[1]
        frames = {
            name: _to_network(frame, turn=upright)[None] for name, frame in (("first", first), ("second", second))
        }
        change = self._network.run(frames)["change"][0, :, :, 0]
        change = np.rot90(change, -1) if upright else change
        size = first.shape[1], first.shape[0]
        scaled = cv2.resize(np.ascontiguousarray(change), size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(scaled, np.float32)


def _to_network(frame: Frame, *, turn: bool) -> NDArray[np.uint8]:
    """Return a frame in the size that the network takes."""
    import cv2

    turned = np.ascontiguousarray(np.rot90(frame)) if turn else frame
    if turned.shape[:2] == (HEIGHT, WIDTH):
        return turned
    how = cv2.INTER_AREA if turned.shape[0] > HEIGHT else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(turned, (WIDTH, HEIGHT), interpolation=how), np.uint8)
