"""The values of a training run of the restoration network, and its YAML file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.training.experiment import Splits, load_values

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class RestorationExperiment:
    """What to train and how.

    - `channels` and `blocks`: residual blocks at half of the resolution and at a quarter of it; the blocks at half are
      used on the way down and on the way up.
    - `qualities`: those of the source document; a share `free_quality` of the patches has a random one of 5 to 95.
    - `clean`: the share of patches that are not compressed; `grey`: of those without colour; `twice`: of those that are
      compressed twice, with a shifted grid; `full_colour`: of those with 4:4:4 in place of 4:2:0.
    - `patch`: the side of a patch in px; `ema`: the momentum of the averaged weights, which are those that ship.
    - `squared`: the share of the steps, at the end, that minimise the squared error in place of the absolute one.
    """

    name: str = "restore-jpeg"
    version: int = 1
    recipe: str = "restoration"
    seed: int = 1
    split_seed: int = 1
    test: float = 0.2
    calibration: float = 0.1
    channels: tuple[int, ...] = (40, 80)
    blocks: tuple[int, ...] = (2, 4)
    qualities: tuple[int, ...] = (5, 10, 30, 50, 70)
    free_quality: float = 0.5
    clean: float = 0.1
    grey: float = 0.25
    twice: float = 0.3
    full_colour: float = 0.3
    patch: int = 64
    batch: int = 16
    steps: int = 12000
    learning_rate: float = 1e-3
    ema: float = 0.999
    squared: float = 0.2
    precision: str = "float16"

    @property
    def splits(self) -> Splits:
        """How the scenes are split: as those of the defect network."""
        return Splits(self.split_seed, self.test, self.calibration)


def load_restoration(file: Path) -> RestorationExperiment:
    """Return the experiment of a YAML file; raises ConfigError with all problems of a file that holds other values."""
    return RestorationExperiment(**load_values(file, RestorationExperiment()))
