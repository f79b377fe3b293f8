"""The experiment file (`train.yaml`): everything that decides what a training run makes.

The configuration room owns the daemon's YAML; this one reads the file that travels with a model.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import yaml

from culld.errors import ConfigError
from culld.records import Threshold

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Experiment:
    """What to train and how; the defaults are those of the committed first model.

    `draws`: how many times every training scene is distorted anew. `pooling`: which groups of features the heads see
    (see `network.GROUPS`). `test` and `calibration`: shares of the scenes. `prevalence`: the share of photos with each
    defect for which the probabilities are calibrated. `hard`: weight of night, high-key and bokeh photos.
    `seed_exposure`: weight of the seed's brighten and darken beside linear-light exposure.
    """

    name: str = "defects"
    version: int = 1
    seed: int = 1
    test: float = 0.2
    calibration: float = 0.1
    draws: int = 2
    pooling: tuple[str, ...] = ("mean", "deviation", "peak", "light")
    epochs: int = 40
    batch: int = 256
    rate: float = 1e-3
    decay: float = 1e-3
    hard: float = 4.0
    clean: float = 2.0
    seed_exposure: float = 0.5
    prevalence: float = 0.1
    tag: tuple[float, float, float] = (0.5, 0.6, 0.6)
    reject: tuple[float | None, float | None, float | None] = (0.97, None, 0.97)

    @property
    def thresholds(self) -> tuple[Threshold, Threshold, Threshold]:
        """The default policy thresholds that go on the card and into the evaluation, in the order of the outputs."""
        blur, under, over = (Threshold(tag, reject) for tag, reject in zip(self.tag, self.reject, strict=True))
        return blur, under, over


def load_experiment(path: Path | None) -> Experiment:
    """Read an experiment file, or take the defaults for None; raises `ConfigError` that lists all that is wrong."""
    if path is None:
        return Experiment()
    try:
        found = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError((f"{path}: cannot be read as YAML: {error}",)) from error
    if not isinstance(found, dict):
        raise ConfigError((f"{path}: must hold `key: value` lines",))
    default = {key: _plain(value) for key, value in asdict(Experiment()).items()}
    problems = [
        f"{path}: {key}: {_problem(default.get(key), value)}"
        for key, value in found.items()
        if _problem(default.get(key), value)
    ]
    if problems:
        raise ConfigError(tuple(problems))
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}
    return Experiment(**values)


def as_yaml(experiment: Experiment) -> str:
    """The experiment as the text of a file that `load_experiment` reads back."""
    plain = {field.name: _plain(getattr(experiment, field.name)) for field in fields(Experiment)}
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
