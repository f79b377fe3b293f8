"""The heat map of one defect in one frame: where the network sees it, and how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.explain.cam import class_activation_map
from culld.explain.method import Method
from culld.explain.network import FEATURES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from culld.explain.network import ExplainNetwork
    from culld.records import Defect

    Plane = NDArray[np.float32]

ROWS: Final = 24
COLUMNS: Final = 32
"""The cells of a map: 16 pixels of the network frame each way."""
HALF: Final = 0.5
"""The contour holds the strongest cells that together have this share of all positive values."""


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """Where the network sees a defect.

    `values` is float32 (24, 32), or (32, 24) once a portrait is turned upright; positive cells raise the calibrated
    `logit` (before the sigmoid, with the network's own calibration and without the light value), negative ones lower
    it. A cell holds the sum of its parts of the levels that explain this head, so values of `hirescam` and `gradcam`
    have the unit of the logit; their sum is what these levels contribute to it (the logit also has an offset and other
    inputs). Of `gradcam++` only the relation between cells means something.
    """

    head: Defect
    method: Method
    logit: float
    values: Plane

    @property
    def probability(self) -> float:
        """The probability of the defect, 0..1."""
        return 1 / (1 + math.exp(-self.logit))

    @property
    def strength(self) -> Plane:
        """How strong each cell is, 0..1: inside the contour the probability, outside of it less.

        So a photo without the defect shows nothing, however its cells compare with each other.
        """
        least = self._least_inside()
        shares: Plane = np.clip(self.values / least, 0, 1) if least > 0 else np.zeros_like(self.values)
        return shares * np.float32(self.probability)

    @property
    def place(self) -> NDArray[np.bool_]:
        """The cells inside the contour: the strongest ones that hold half of all that is positive."""
        least = self._least_inside()
        inside: NDArray[np.bool_] = (self.values >= least) & (self.values > 0)
        return inside

    def _least_inside(self) -> float:
        """Return the value of the weakest cell inside the contour; 0 if no cell is positive."""
        falling = np.sort(np.maximum(self.values, 0), axis=None)[::-1]
        running = np.cumsum(falling, dtype=np.float64)
        return float(falling[np.searchsorted(running, HALF * running[-1])])

    def turned(self, quarter_turns: int) -> HeatMap:
        """Return the map turned by these quarter turns, counter-clockwise."""
        return replace(self, values=np.ascontiguousarray(np.rot90(self.values, quarter_turns)))


def heat(network: ExplainNetwork, frame: NDArray[np.uint8], head: Defect, method: Method = Method.HIRESCAM) -> HeatMap:
    """Return the heat map of a defect of the network (no missed focus) in a frame, uint8 RGB (384, 512, 3)."""
    return heat_of(network, network.outputs(frame), head, method)


def heat_of(network: ExplainNetwork, outputs: Mapping[str, Plane], head: Defect, method: Method) -> HeatMap:
    """Return the same from the outputs of the network for a frame, so that several heads need one run."""
    logit, by_features = network.heads.by_defect[head].logit(outputs[FEATURES])
    total = np.zeros((ROWS, COLUMNS), np.float32)
    for name in network.levels[head]:
        gradient = network.heads.level_gradient(name, outputs[name], by_features)
        total += in_cells(class_activation_map(method, outputs[name], gradient))
    return HeatMap(head, method, logit, smoothed(total))


def smoothed(cells: Plane) -> Plane:
    """Return the mean of the 3x3 cells around each one, those at the border repeated."""
    padded = np.pad(cells, 1, mode="edge")
    rows, columns = cells.shape
    parts = [padded[down : down + rows, right : right + columns] for down in range(3) for right in range(3)]
    mean: Plane = np.mean(parts, axis=0, dtype=np.float32)
    return mean


def in_cells(plane: Plane) -> Plane:
    """Return a map (height, width) as (24, 32) cells with the same sum; the sizes divide each other."""
    height, width = plane.shape
    if height >= ROWS:
        cells: Plane = plane.reshape(ROWS, height // ROWS, COLUMNS, width // COLUMNS).sum(axis=3).sum(axis=1)
        return cells
    tall, wide = ROWS // height, COLUMNS // width
    return np.repeat(np.repeat(plane, tall, axis=0), wide, axis=1) / np.float32(tall * wide)
