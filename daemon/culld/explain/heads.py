"""The heads of the defect network in NumPy: a logit and its gradient by the features."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.errors import SystemFaultError
from culld.explain.cam import Pool, pooled_gradient
from culld.explain.light import GRID, LIGHT, light_gradient
from culld.records import NETWORK_DEFECTS, Defect

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """The fully connected layers of one head of one member, the last one to the logit.

    `columns` are the indices of its features; `mean` and `deviation` normalise them.
    """

    columns: NDArray[np.int64]
    mean: Plane
    deviation: Plane
    kernels: tuple[Plane, ...]
    biases: tuple[Plane, ...]

    def logit(self, features: Plane) -> tuple[float, Plane]:
        """Return the logit of a vector of all features, and its gradient by that vector."""
        values = (features[self.columns] - self.mean) / self.deviation
        passed = []
        for kernel, bias in zip(self.kernels[:-1], self.biases[:-1], strict=True):
            values = np.maximum(values @ kernel + bias, 0)
            passed.append(values > 0)
        logit = float((values @ self.kernels[-1] + self.biases[-1])[0])
        gradient = self.kernels[-1][:, 0]
        for kernel, kept in zip(self.kernels[-2::-1], reversed(passed), strict=True):
            gradient = kernel @ (gradient * kept)
        by_features = np.zeros_like(features)
        by_features[self.columns] = gradient / self.deviation
        return logit, by_features


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """The head of one defect: the mean of its members' logits, calibrated by `scale` and `offset`."""

    members: tuple[Layers, ...]
    scale: float
    offset: float

    def logit(self, features: Plane) -> tuple[float, Plane]:
        """Return the calibrated logit, before the sigmoid, and its gradient by the features."""
        found = [member.logit(features) for member in self.members]
        total: Plane = np.stack([by_features for _, by_features in found]).sum(axis=0)
        gradient: Plane = np.float32(self.scale / len(found)) * total
        logit = sum(value for value, _ in found) / len(found)
        return self.scale * logit + self.offset, gradient


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """All heads; `pools` says how each level becomes features, `groups` where each group of features starts."""

    by_defect: Mapping[Defect, Head]
    pools: Mapping[str, tuple[Pool, ...]]
    groups: Mapping[str, int]

    def level_gradient(self, name: str, level: Plane, by_features: Plane) -> Plane:
        """Return the gradient of a logit by a level, given that by the features; in the shape of the level."""
        if name in {LIGHT, GRID}:
            return light_gradient(name, level, self.groups, by_features)
        return pooled_gradient(level, self.pools[name], by_features)

    @classmethod
    def load(cls, file: Path) -> Heads:
        """Read `explain.npz`; raises SystemFaultError if it cannot be read."""
        try:
            with np.load(file, allow_pickle=False) as arrays:
                return cls.from_arrays(arrays)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SystemFaultError(f"{file}: the heads of the network cannot be read ({error})") from error

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Heads:
        """Return the heads in these arrays, as `culld.training.cam.export` writes them."""
        layout = json.loads(arrays["layout"].tobytes())
        heads = {}
        for place, defect in enumerate(NETWORK_DEFECTS):
            columns = np.concatenate([np.arange(start, end) for start, end in layout["columns"][defect.value]])
            members = tuple(_layers(arrays, number, defect, columns) for number in range(layout["members"]))
            heads[defect] = Head(members, float(arrays["scale"][place]), float(arrays["offset"][place]))
        pools = {name: tuple(Pool(*each) for each in found) for name, found in layout["pools"].items()}
        return cls(heads, pools, layout["groups"])


def _layers(arrays: Mapping[str, NDArray[Any]], number: int, defect: Defect, columns: NDArray[np.int64]) -> Layers:
    kernels: list[Plane] = []
    biases: list[Plane] = []
    while f"{number}/{defect}/{len(kernels)}/kernel" in arrays:
        prefix = f"{number}/{defect}/{len(kernels)}"
        kernels.append(arrays[f"{prefix}/kernel"].astype(np.float32))
        biases.append(arrays[f"{prefix}/bias"].astype(np.float32))
    mean, deviation = (arrays[f"{number}/{name}"].astype(np.float32)[columns] for name in ("mean", "deviation"))
    return Layers(columns, mean, deviation, tuple(kernels), tuple(biases))
