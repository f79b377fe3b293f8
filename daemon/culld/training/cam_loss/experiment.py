"""The values of the experiment, and its YAML file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.training.experiment import Splits, load_values

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class CamLossExperiment:
    """What to train and how.

    `scenes`: how many photographs to learn from, chosen by hash; `tested`: of those of the test. `epochs` of the
    baseline, then `tune_epochs` with the loss of the map, `weight` times. `seeds`: one run each. `repairs`: how many
    pictures are repaired; `repaired`: the share of the cells that is given back its clean original there.
    """

    name: str = "cam-loss"
    seeds: tuple[int, ...] = (1, 2, 3)
    split_seed: int = 1
    test: float = 0.2
    calibration: float = 0.1
    scenes: int = 500
    tested: int = 300
    epochs: int = 8
    tune_epochs: int = 14
    batch: int = 32
    learning_rate: float = 1e-3
    tune_learning_rate: float = 1e-3
    weight: float = 2.0
    repaired: float = 0.2
    repairs: int = 100

    @property
    def splits(self) -> Splits:
        """How the scenes are split: as those of the defect network."""
        return Splits(self.split_seed, self.test, self.calibration)


def load_cam_loss(file: Path) -> CamLossExperiment:
    """Return the experiment of a YAML file; raises ConfigError with all problems of a file that holds other values."""
    return CamLossExperiment(**load_values(file, CamLossExperiment()))
