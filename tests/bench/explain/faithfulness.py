"""How far a map can be trusted: repair-deletion, the pointing game, and energy per area.

Repair-deletion swaps cells of a degraded photo back to the clean original and measures by how much the logit falls.
Blurred or grey baselines, as usual elsewhere, would insert the very defect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.explain.pictures import Frame, Pair
from culld.explain.heat import COLUMNS, ROWS, HeatMap, heat
from culld.explain.method import Method
from culld.explain.network import FEATURES, ExplainNetwork
from culld.records import Defect

SHARE = 0.2
"""The share of the cells that is swapped back."""
DRAWS = 2
"""So many random regions for each map."""
_CELL = 16

Cells = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Repair:
    """By how much the logit falls: the most is `all` of the photo clean, `top` the map's cells, `random` others."""

    all: float
    top: float
    random: float


@dataclass(frozen=True, slots=True)
class Found:
    """The measurements of one pair: repairs of both degraded photos, and the map of the local one against its mask."""

    whole: Repair | None
    local: Repair
    hit: bool
    energy: float


@dataclass(frozen=True, slots=True)
class Judge:
    """Measures maps of one method for one defect."""

    network: ExplainNetwork
    head: Defect
    method: Method = Method.HIRESCAM

    def measure(self, pair: Pair, rng: np.random.Generator, *, whole: bool = True) -> Found:
        """Return the measurements of a pair."""
        clean = self._logit(pair.clean)
        found = self._heat(pair.local)
        inside = pair.mask.reshape(ROWS, _CELL, COLUMNS, _CELL).mean(axis=3).mean(axis=1)
        positive = np.maximum(found.values, 0)
        total = float(positive.sum()) or 1.0
        return Found(
            self._repair(self._heat(pair.whole), pair.whole, (pair.clean, clean), rng) if whole else None,
            self._repair(found, pair.local, (pair.clean, clean), rng),
            bool(inside.ravel()[found.values.argmax()] >= 0.5),
            float((positive * inside).sum()) / total / float(inside.mean()),
        )

    def _heat(self, frame: Frame) -> HeatMap:
        return heat(self.network, frame, self.head, self.method)

    def _repair(self, found: HeatMap, degraded: Frame, clean: tuple[Frame, float], rng: np.random.Generator) -> Repair:
        """Swap cells of a degraded frame with this map to the clean one, which is given with its logit."""
        original, clean_logit = clean
        top = strongest_cells(found.values)
        others = [found.logit - self._logit(swapped(degraded, original, moved(top, rng))) for _ in range(DRAWS)]
        own = found.logit - self._logit(swapped(degraded, original, top))
        return Repair(found.logit - clean_logit, own, float(np.mean(others)))

    def _logit(self, frame: Frame) -> float:
        features = self.network.network.run({"frame": frame[None]})[FEATURES][0]
        return self.network.heads.by_defect[self.head].logit(features)[0]


def strongest_cells(values: NDArray[np.float32], share: float = SHARE) -> Cells:
    """Return the strongest `share` of the cells."""
    cells = np.zeros(values.size, np.bool_)
    cells[np.argsort(-values.ravel(), kind="stable")[: round(share * values.size)]] = True
    return cells.reshape(values.shape)


def moved(cells: Cells, rng: np.random.Generator) -> Cells:
    """Return cells of the same shapes elsewhere: shifted around the frame at random, and perhaps mirrored."""
    shifted = np.roll(cells, (int(rng.integers(ROWS)), int(rng.integers(COLUMNS))), axis=(0, 1))
    shifted = shifted[::-1] if rng.random() < 0.5 else shifted
    return shifted[:, ::-1] if rng.random() < 0.5 else shifted


def swapped(degraded: Frame, clean: Frame, cells: Cells) -> Frame:
    """Return the degraded frame with these cells from the clean one."""
    pixels = np.repeat(np.repeat(cells, _CELL, axis=0), _CELL, axis=1)[..., None]
    return np.where(pixels, clean, degraded)


def ratio(repairs: Sequence[Repair]) -> tuple[float, float, float]:
    """Return the mean fall by the map's cells over that by random ones, with its 95 % interval (bootstrap by photo)."""
    falls = np.array([(each.top, each.random) for each in repairs])
    return with_interval(falls, lambda drawn: float(drawn[:, 0].mean() / drawn[:, 1].mean()))


def with_interval(
    values: NDArray[np.float64], statistic: Callable[[NDArray[np.float64]], float]
) -> tuple[float, float, float]:
    """Return a statistic of rows and its 95 % interval by 2,000 bootstrap draws of rows."""
    rng = np.random.default_rng(1)
    drawn = [statistic(values[rng.integers(len(values), size=len(values))]) for _ in range(2000)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return statistic(values), float(low), float(high)
