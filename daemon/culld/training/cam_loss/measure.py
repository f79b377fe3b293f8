"""What the loss of the map did: to the task, to the place of the map, and to what the logit rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.training.cam_loss.pictures import repaired, strongest
from culld.training.cam_loss.targets import GRID
from culld.training.metrics import auc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from culld.training.cam_loss.pictures import Features, Pair, PairFeatures

_LEAST = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """The answers of a network to n pairs: `logits` (2 n), `cams` (2 n, 24, 32), clean pictures first."""

    logits: NDArray[np.float32]
    cams: NDArray[np.float32]

    @property
    def defective(self) -> NDArray[np.float32]:
        """The maps of the blurred pictures (n, 24, 32)."""
        return self.cams[len(self.cams) // 2 :]


@dataclass(frozen=True, slots=True)
class RepairTest:
    """The mean fall of the logit when cells of a blurred picture are given back.

    `strongest`: those where the map is largest; `random`: as many, in the same shapes, elsewhere.
    """

    strongest: float
    random: float

    @property
    def ratio(self) -> float:
        """How many times as much the logit falls for the strongest cells."""
        return self.strongest / max(self.random, _LEAST)


def look(model: Any, found: PairFeatures) -> Looked:
    """Return the answers of a network."""
    outputs = model.predict(found.features, batch_size=64, verbose=0)
    return Looked(outputs["logit"][:, 0], outputs["cam"])


def task_auc(looked: Looked, labels: NDArray[np.float32]) -> float:
    """Return the area under the curve of blurred against clean pictures."""
    return auc(looked.logits, labels > 0)


def energy_inside(looked: Looked, masks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return, for each blurred picture, the share of the map's positive energy inside its mask, 0..1."""
    positive = np.maximum(looked.defective, 0)
    inside = (positive * masks[len(masks) // 2 :]).sum(axis=(1, 2))
    return np.asarray(inside / (positive.sum(axis=(1, 2)) + _LEAST), np.float32)


def repair_test(
    model: Any, frozen: Features, pairs: Sequence[Pair], looked: Looked, share: float, rng: np.random.Generator
) -> RepairTest:
    """Give back cells of each blurred picture from its clean original, and see how far the logit falls.

    `pairs` are the first ones of those that the network has looked at. The pictures stay natural ones, where grey or
    blurred patches would bring the defect in.
    """
    before = looked.logits[len(looked.logits) // 2 :]
    falls = [
        [first - _logit(model, frozen, repaired(pair, strongest(shown, share))) for shown in (cam, _shifted(cam, rng))]
        for pair, cam, first in zip(pairs, looked.defective, before, strict=False)
    ]
    by_map, by_chance = np.mean(falls, axis=0)
    return RepairTest(float(by_map), float(by_chance))


def _logit(model: Any, frozen: Features, frame: NDArray[np.uint8]) -> float:
    features = frozen(frame[None].astype(np.float32)).astype(np.float16)
    return float(np.asarray(model.predict_on_batch(features)["logit"])[0, 0])


def _shifted(cam: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the map moved by a random number of cells; what leaves at one side comes in at the other."""
    return np.roll(cam, (int(rng.integers(GRID[0])), int(rng.integers(GRID[1]))), axis=(0, 1))
