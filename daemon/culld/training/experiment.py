"""The experiment file (`train.yaml`): everything that decides what a training run makes.

The configuration room owns the daemon's YAML; this one reads the file that travels with a model.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import yaml

from culld.errors import ConfigError
from culld.records import Defect, Threshold

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Experiment:
    """What to train and how; the defaults are those of the model that ships.

    `pictures`: kinds of `features.PICTURES` to learn from, the first also to calibrate on. `draws` and
    `calibration_draws`: how many times every scene is distorted anew. `trunk` and `heads`: names of `trunks.TRUNKS` and
    `network.HEADS`. `blur_sees`, `under_sees`, `over_sees`: which groups of numbers each head sees (`pooling.GROUPS`).
    `neck`: dropout in front of the heads. `members`: how many sets of heads, trained apart, have the mean of their
    logits taken. `test` and `calibration`: shares of the scenes. `prevalence`: the shares of
    photos with each defect for which the probabilities are calibrated. `precision`: of the kernels in the file that
    ships, `float32` or `float16`. `hard`: weight of clean night, high-key and bokeh photos; `clean`: of other clean
    ones; `mild`: of pictures changed so little that it is no defect.
    """

    name: str = "defects"
    version: int = 2
    seed: int = 1
    test: float = 0.2
    calibration: float = 0.1
    pictures: tuple[str, ...] = ("field",)
    draws: int = 2
    calibration_draws: int = 3
    trunk: str = "mobilenetv2"
    heads: str = "second"
    blur_sees: tuple[str, ...] = ("mean", "deviation", "peak")
    under_sees: tuple[str, ...] = ("grain half", "early half", "middle half", "scene half", "light")
    over_sees: tuple[str, ...] = ("grain half", "light")
    neck: float = 0.3
    members: int = 3
    epochs: int = 20
    batch: int = 256
    rate: float = 1e-3
    decay: float = 1e-3
    hard: float = 6.0
    clean: float = 2.0
    mild: float = 2.0
    prevalence: tuple[float, float, float] = (0.2, 0.15, 0.2)
    precision: str = "float16"
    tag: tuple[float, float, float] = (0.5, 0.6, 0.6)
    reject: tuple[float | None, float | None, float | None] = (0.97, None, 0.97)

    @property
    def ground(self) -> Experiment:
        """What decides how scenes are dealt out."""
        return self

    @property
    def sees(self) -> dict[Defect, tuple[str, ...]]:
        """Which groups of numbers each head sees."""
        return {Defect.BLUR: self.blur_sees, Defect.UNDER: self.under_sees, Defect.OVER: self.over_sees}

    @property
    def groups(self) -> tuple[str, ...]:
        """All groups that any head sees, each once."""
        return tuple(dict.fromkeys(group for seen in self.sees.values() for group in seen))

    @property
    def thresholds(self) -> tuple[Threshold, Threshold, Threshold]:
        """The default policy thresholds that go on the card and into the evaluation, in the order of the outputs."""
        blur, under, over = (Threshold(tag, reject) for tag, reject in zip(self.tag, self.reject, strict=True))
        return blur, under, over


@dataclass(frozen=True, slots=True)
class TwoStageExperiment:
    """A training as the seed did it: a whole trunk, averaged, and its heads, in two stages.

    First the heads alone for `head_epochs` at `head_rate`; then for `tune_epochs` at `tune_rate` also the last
    `tune_layers` layers of the trunk (0: all of them), its batch norm frozen or not. `pooling` is `gap` (mean of the
    last layer) or `levels` (mean and deviation of the trunk's early levels). `kinds`: how many of the seed's four
    distortions each scene is shown in, drawn anew each epoch.
    """

    recipe: str = "generation"
    name: str = "seed-second"
    version: int = 1
    seed: int = 1
    test: float = 0.2
    calibration: float = 0.1
    trunk: str = "efficientnetb0"
    pooling: str = "gap"
    heads: str = "second"
    neck: float = 0.2
    kinds: int = 1
    batch: int = 16
    head_epochs: int = 5
    head_rate: float = 1e-3
    tune_epochs: int = 5
    tune_rate: float = 5e-5
    tune_layers: int = 40
    freeze_batch_norm: bool = True
    prevalence: tuple[float, float, float] = (0.1, 0.1, 0.1)
    precision: str = "float32"

    @property
    def ground(self) -> Experiment:
        """What decides how scenes are dealt out."""
        return Experiment(seed=self.seed, test=self.test, calibration=self.calibration)

    @property
    def thresholds(self) -> tuple[Threshold, Threshold, Threshold]:
        """A half for every defect, and never a reject."""
        half = Threshold(0.5, None)
        return half, half, half


def load_experiment(path: Path | None) -> Experiment:
    """Read an experiment file, or take the defaults for None; raises `ConfigError` that lists all that is wrong."""
    return Experiment() if path is None else Experiment(**_load(path, Experiment()))


def load_recipe(path: Path) -> Experiment | TwoStageExperiment:
    """Read an experiment file of either kind: a `Generation` says `recipe: generation`."""
    found = _mapping(path)
    return TwoStageExperiment(**_load(path, TwoStageExperiment())) if "recipe" in found else load_experiment(path)


def _mapping(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError((f"{path}: cannot be read as YAML: {error}",)) from error
    if not isinstance(found, dict):
        raise ConfigError((f"{path}: must hold `key: value` lines",))
    return found


def _load(path: Path, defaults: Experiment | TwoStageExperiment) -> dict[str, Any]:
    found = _mapping(path)
    default = {key: _plain(value) for key, value in asdict(defaults).items()}
    problems = [
        f"{path}: {key}: {_problem(default.get(key), value)}"
        for key, value in found.items()
        if _problem(default.get(key), value)
    ]
    if problems:
        raise ConfigError(tuple(problems))
    return {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}


def as_yaml(experiment: Experiment | TwoStageExperiment) -> str:
    """The experiment as the text of a file that `load_recipe` reads back."""
    plain = {field.name: _plain(getattr(experiment, field.name)) for field in fields(experiment)}
    return yaml.safe_dump(plain, sort_keys=False, default_flow_style=None)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _problem(default: object, value: object) -> str:
    """What is wrong with a value beside the default of its key; empty if nothing is."""
    if default is None:
        return "no such key"
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return ""
    if type(value) is not type(default):
        return f"must be of the kind of {default!r}"
    if isinstance(value, list) and isinstance(default, list):
        if isinstance(default[0], str):
            return "" if value and all(isinstance(item, str) for item in value) else "must list names"
        fits = len(value) == len(default) and all(item is None or isinstance(item, int | float) for item in value)
        return "" if fits else f"must list {len(default)} numbers"
    return ""
