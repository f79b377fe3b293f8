"""The values of a training run of the tone network, and its YAML file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.training.experiment import Splits, load_values

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ToneExperiment:
    """What to train and how.

    - `channels`: of the layers that see shapes; `levels`: of those that see the colour of single pixels; `width`: of
      the layer behind both.
    - `under` and `over`: the shares of the pictures that are darker by 1.5 to 5 EV and brighter by 1.5 to 4 EV; a share
      `clean` is not changed, and the rest changes by less than that.
    - `hard_light`: the share of pictures with lamps and windows above white, and with uneven light.
    - `camera`: the share of darker pictures whose light follows the mean response of cameras, not sRGB.
    - `most_stops`: the limit of the stops of a predicted curve, up and down.
    - `ema`: the momentum of the averaged weights, which are those that ship.
    """

    name: str = "restore-exposure"
    version: int = 1
    recipe: str = "tone"
    seed: int = 1
    split_seed: int = 1
    test: float = 0.2
    calibration: float = 0.1
    channels: tuple[int, ...] = (16, 24, 32, 48)
    levels: int = 24
    width: int = 48
    under: float = 0.35
    over: float = 0.3
    clean: float = 0.15
    hard_light: float = 0.5
    camera: float = 0.5
    most_stops: float = 5.0
    batch: int = 32
    steps: int = 1400
    learning_rate: float = 2e-3
    ema: float = 0.995
    precision: str = "float16"

    @property
    def splits(self) -> Splits:
        """How the scenes are split: as those of the defect network."""
        return Splits(self.split_seed, self.test, self.calibration)


def load_tone(file: Path) -> ToneExperiment:
    """Return the experiment of a YAML file; raises ConfigError with all problems of a file that holds other values."""
    return ToneExperiment(**load_values(file, ToneExperiment()))
