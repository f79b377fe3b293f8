"""The values of a training run of the segmentation network, and its YAML file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.errors import ConfigError
from culld.training.experiment import Splits, load_values

if TYPE_CHECKING:
    from pathlib import Path

MULTIPLE = 32
"""The sides of a crop are multiples of this, for the network halves them five times."""


@dataclass(frozen=True, slots=True)
class SegmentationExperiment:
    """What to train and how.

    - `channels`: of the stem, at half of the resolution, and of the four levels below it.
    - `crop`: the side of a composite in px; `batch` composites a step.
    - `dice` and `entropy`: the weights of both parts of the loss, those of the source document.
    - `plain`: the share of composites without a defect; `foreign`: of those into which an undegraded region of another
      photo is pasted first; `whole`: of defects that cover the whole frame.
    """

    name: str = "segment"
    version: int = 1
    recipe: str = "segmentation"
    seed: int = 1
    split_seed: int = 1
    test: float = 0.2
    calibration: float = 0.1
    channels: tuple[int, ...] = (16, 32, 64, 112, 144)
    crop: int = 256
    dice: float = 0.3
    entropy: float = 1.0
    plain: float = 0.15
    foreign: float = 0.25
    whole: float = 0.2
    batch: int = 8
    steps: int = 3000
    learning_rate: float = 2e-3
    precision: str = "float16"

    @property
    def splits(self) -> Splits:
        """How the scenes are split: as those of the defect network."""
        return Splits(self.split_seed, self.test, self.calibration)


def load_segmentation(file: Path) -> SegmentationExperiment:
    """Return the experiment of a YAML file; raises ConfigError with all problems of a file that holds other values."""
    experiment = SegmentationExperiment(**load_values(file, SegmentationExperiment()))
    problems = []
    if experiment.crop < 2 * MULTIPLE or experiment.crop % MULTIPLE:
        problems.append(f"{file}: crop: must be a multiple of {MULTIPLE}, {2 * MULTIPLE} at the least")
    if min(experiment.batch, experiment.steps) < 1:
        problems.append(f"{file}: batch and steps: must be 1 at the least")
    if problems:
        raise ConfigError(tuple(problems))
    return experiment
