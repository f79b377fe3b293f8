"""The experiment file (`train.yaml`): everything that decides what a training run makes.

`config` reads the daemon's YAML; this module reads the file that travels with a model.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import yaml

from culld.errors import ConfigError
from culld.records import Defect, Threshold

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import DataclassInstance

_RENAMED_KEYS = {
    "trunk": "backbone",
    "blur_sees": "blur_inputs",
    "under_sees": "under_inputs",
    "over_sees": "over_inputs",
    "neck": "dropout",
    "members": "ensemble",
    "rate": "learning_rate",
    "decay": "weight_decay",
    "hard": "weight_hard",
    "clean": "weight_clean",
    "mild": "weight_mild",
    "head_rate": "head_learning_rate",
    "tune_rate": "tune_learning_rate",
}
_RENAMED_GROUPS = {
    "grain half": "stem_half",
    "early half": "early_half",
    "middle half": "middle_half",
    "scene half": "late_half",
}
_RENAMED_VALUES = {
    "recipe": {"generation": "two_stage"},
    "pictures": {"seed": "kadis"},
    "pooling": {"levels": "stages"},
    "blur_inputs": _RENAMED_GROUPS,
    "under_inputs": _RENAMED_GROUPS,
    "over_inputs": _RENAMED_GROUPS,
}


@dataclass(frozen=True, slots=True)
class Splits:
    """How the scenes are split: the shares (0..1) of `test` and `calibration`, the rest to train on; by `seed`."""

    seed: int = 1
    test: float = 0.2
    calibration: float = 0.1


@dataclass(frozen=True, slots=True)
class Experiment:
    """What to train and how; the defaults are those of the model that ships.

    `pictures`: kinds of `features.PICTURES` to learn from, the first also to calibrate on. `draws` and
    `calibration_draws`: how many times every scene is distorted, each time differently. `backbone` and `heads`: names
    of `backbones.BACKBONES` and `network.HEADS`. `blur_inputs`, `under_inputs`, `over_inputs`: the groups of numbers
    that are the inputs of each head (`feature_groups.GROUPS`). `dropout`: that in front of the heads. `ensemble`: how
    many sets of heads are trained, whose logits are averaged. `distill`: whether one more set learns the answers of
    these and takes their place. `test` and `calibration`: shares of the scenes. `prevalence`: the shares of photos with
    each defect for which the probabilities are calibrated. `precision`: of the kernels in the file that ships,
    `float32` or `float16`. `weight_hard`: weight of clean night, high-key and bokeh photos, and of those with a real
    defect; `weight_clean`: of other clean ones; `weight_mild`: of pictures changed so little that it is no defect.
    """

    name: str = "defects"
    version: int = 3
    seed: int = 1
    test: float = 0.2
    calibration: float = 0.1
    pictures: tuple[str, ...] = ("varied",)
    draws: int = 2
    calibration_draws: int = 2
    backbone: str = "mobilenetv2"
    heads: str = "second"
    blur_inputs: tuple[str, ...] = ("mean", "deviation", "peak", "early_quarter", "middle_quarter", "grid")
    under_inputs: tuple[str, ...] = (
        "stem_half",
        "light",
        "grid",
        "stem_quarter",
        "early_quarter",
        "middle_quarter",
        "late_quarter",
    )
    over_inputs: tuple[str, ...] = ("stem_half", "light", "grid", "early_quarter", "middle_quarter")
    dropout: float = 0.3
    ensemble: int = 3
    distill: bool = False
    epochs: int = 20
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    weight_hard: float = 6.0
    weight_clean: float = 2.0
    weight_mild: float = 2.0
    prevalence: tuple[float, float, float] = (0.2, 0.15, 0.2)
    precision: str = "float16"
    tag: tuple[float, float, float] = (0.5, 0.6, 0.6)
    reject: tuple[float | None, float | None, float | None] = (0.97, None, 0.97)

    @property
    def splits(self) -> Splits:
        """How the scenes are split."""
        return Splits(self.seed, self.test, self.calibration)

    @property
    def inputs(self) -> dict[Defect, tuple[str, ...]]:
        """The groups of numbers that are the inputs of each head."""
        return {Defect.BLUR: self.blur_inputs, Defect.UNDER: self.under_inputs, Defect.OVER: self.over_inputs}

    @property
    def groups(self) -> tuple[str, ...]:
        """All groups that are an input of any head, each once."""
        return tuple(dict.fromkeys(group for groups in self.inputs.values() for group in groups))

    @property
    def thresholds(self) -> tuple[Threshold, Threshold, Threshold]:
        """The default policy thresholds that go on the card and into the evaluation, in the order of the outputs."""
        blur, under, over = (Threshold(tag, reject) for tag, reject in zip(self.tag, self.reject, strict=True))
        return blur, under, over


@dataclass(frozen=True, slots=True)
class TwoStageExperiment:
    """The training of the source document: a whole backbone, averaged, and its heads, in two stages.

    First the heads alone for `head_epochs` at `head_learning_rate`; then for `tune_epochs` at `tune_learning_rate` also
    the last `tune_layers` layers of the backbone (0: all of them), its batch norm frozen or not. `pooling` is `gap`
    (mean of the last layer) or `stages` (mean and deviation of the backbone's early stages). `kinds`: how many of the
    four KADIS distortions each scene is shown in. `draws`: how often a scene is drawn; the pictures are the same in
    every epoch then, and in memory (0: one draw, again for each epoch). `scenes`: how many scenes are trained on,
    chosen by hash (0: all outside the test). `batch_norm_momentum`: how slowly the statistics of trained batch norm
    move. `differs`: a sentence for the table of results on what differs from the source document.
    """

    recipe: str = "two_stage"
    name: str = "kadis-second"
    version: int = 1
    seed: int = 1
    test: float = 0.2
    calibration: float = 0.1
    backbone: str = "efficientnetb0"
    pooling: str = "gap"
    heads: str = "second"
    dropout: float = 0.2
    kinds: int = 1
    draws: int = 0
    scenes: int = 0
    batch: int = 16
    head_epochs: int = 5
    head_learning_rate: float = 1e-3
    tune_epochs: int = 5
    tune_learning_rate: float = 5e-5
    tune_layers: int = 40
    freeze_batch_norm: bool = True
    batch_norm_momentum: float = 0.99
    prevalence: tuple[float, float, float] = (0.1, 0.1, 0.1)
    precision: str = "float32"
    differs: str = ""

    @property
    def splits(self) -> Splits:
        """How the scenes are split."""
        return Splits(self.seed, self.test, self.calibration)

    @property
    def thresholds(self) -> tuple[Threshold, Threshold, Threshold]:
        """The thresholds: a half for every defect, and never a reject."""
        half = Threshold(0.5, None)
        return half, half, half


def load_experiment(path: Path | None) -> Experiment:
    """Read an experiment file, or take the defaults for None; raises `ConfigError` that lists all that is wrong."""
    return Experiment() if path is None else Experiment(**load_values(path, Experiment()))


def load_recipe(path: Path) -> Experiment | TwoStageExperiment:
    """Read an experiment file of a network of defects: a `TwoStageExperiment` if it has the line `recipe: two_stage`.

    Raises `ConfigError` that lists all that is wrong.
    """
    kind = recipe_of(path)
    if not kind:
        return load_experiment(path)
    if kind not in {"two_stage", *_RENAMED_VALUES["recipe"]}:
        raise ConfigError((f"{path}: recipe: {kind!r} is not one for networks of defects",))
    return TwoStageExperiment(**load_values(path, TwoStageExperiment()))


def recipe_of(path: Path) -> str:
    """Return the line `recipe` of an experiment file; empty without one. Raises `ConfigError` if it is no YAML."""
    return str(_mapping(path).get("recipe", ""))


def as_yaml(experiment: DataclassInstance) -> str:
    """Return an experiment as the text of a file that its loader reads back."""
    plain = {field.name: _plain(getattr(experiment, field.name)) for field in fields(experiment)}
    return yaml.safe_dump(plain, sort_keys=False, default_flow_style=None)


def _mapping(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError((f"{path}: cannot be read as YAML: {error}",)) from error
    if not isinstance(found, dict):
        raise ConfigError((f"{path}: must hold `key: value` lines",))
    return found


def load_values(path: Path, defaults: DataclassInstance) -> dict[str, Any]:
    """Return the values of an experiment file by the names of the fields of `defaults`, a record with default values.

    Raises ConfigError with all problems: unknown keys, and values of another kind.
    """
    found = _mapping(path)
    default = {key: _plain(value) for key, value in asdict(defaults).items()}
    problems = [
        f"{path}: {key}: {problem}"
        for key, value in found.items()
        if (problem := _renamed(key, value, default) or _problem(default.get(key), value))
    ]
    if problems:
        raise ConfigError(tuple(problems))
    return {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _renamed(key: str, value: object, default: dict[str, object]) -> str:
    """Return the new name of a key or value that earlier versions read; empty if neither was renamed."""
    if key not in default and _RENAMED_KEYS.get(key) in default:
        return f"is now called {_RENAMED_KEYS[key]}"
    names = _RENAMED_VALUES.get(key, {})
    values = value if isinstance(value, list) else [value]
    return ", ".join(f"{old} is now called {names[old]}" for old in values if isinstance(old, str) and old in names)


def _problem(default: object, value: object) -> str:
    """Return what is wrong with a value beside the default of its key; empty if nothing is."""
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
