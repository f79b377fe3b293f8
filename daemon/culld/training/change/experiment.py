"""The values of a training of a network of change, and their YAML file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.errors import ConfigError
from culld.training.change.losses import LOSSES
from culld.training.experiment import Splits, load_values

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = "change"
"""The line `recipe` of such a file."""


@dataclass(frozen=True, slots=True)
class ChangeExperiment:
    """What to train and how.

    `network`: a name of the registry of `culld compare`; its folder has the same name. `seed` decides the random
    weights, the order of the photos and the pairs; `split_seed`, `test` and `calibration` the split of the scenes, as
    for the defect networks. `loss` is a name of `losses.LOSSES`; `weight` is the one of its part on the features, and
    `margin` the distance of features that it asks for. `crop`: height and width of the frames to learn from, multiples
    of 32. `steps` of `batch` pairs each, then `tune_steps` in which the backbone learns too. `precision`: of the
    kernels in the file that ships, `float32` or `float16`.
    """

    recipe: str = RECIPE
    network: str = "fcsiam-tiny"
    version: int = 1
    seed: int = 1
    split_seed: int = 1
    test: float = 0.2
    calibration: float = 0.1
    loss: str = "bce+dice"
    weight: float = 0.1
    margin: float = 1.0
    crop: tuple[int, int] = (256, 256)
    batch: int = 16
    steps: int = 1500
    learning_rate: float = 3e-3
    tune_steps: int = 0
    tune_learning_rate: float = 1e-4
    precision: str = "float16"

    @property
    def name(self) -> str:
        """The name of the model: that of its network."""
        return self.network

    @property
    def splits(self) -> Splits:
        """How the scenes are split: as those of the defect network."""
        return Splits(self.split_seed, self.test, self.calibration)


def load_change(file: Path) -> ChangeExperiment:
    """Return the experiment of a YAML file; raises ConfigError with all problems of a file that holds other values."""
    experiment = ChangeExperiment(**load_values(file, ChangeExperiment()))
    problems = []
    if experiment.loss not in LOSSES:
        problems.append(f"{file}: loss: {experiment.loss!r} is not one of {', '.join(LOSSES)}")
    if any(side < 32 or side % 32 for side in experiment.crop):
        problems.append(f"{file}: crop: must list a height and a width that are multiples of 32")
    if min(experiment.batch, experiment.steps) < 1 or experiment.tune_steps < 0:
        problems.append(f"{file}: batch and steps: must be 1 at the least, and tune_steps no less than 0")
    if problems:
        raise ConfigError(tuple(problems))
    return experiment
