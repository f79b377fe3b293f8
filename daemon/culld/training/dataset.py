"""The photographs: scenes out of `index.csv`, split by scene, and the samples that are drawn from each.

One file is one scene. A scene stands on one side of the split with everything that is made of it.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culld.errors import ConfigError
from culld.records import NETWORK_DEFECTS, Defect
from culld.training.augment import Augmentation
from culld.training.distortions import KADIS_LEVELS, Distortion, Kind, log_uniform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from culld.training.experiment import Experiment, Splits

HARD_TAGS = ("night_lowkey", "highkey", "bokeh")
"""Tags of photos that look defective and are not."""

_UNKNOWN = {"night_lowkey": Defect.OVER, "highkey": Defect.UNDER}  # defects that cannot be seen on such a scene
_EXTRA_CLEAN = 5  # more views of each hard negative: there are few of them


@dataclass(frozen=True, slots=True)
class Scene:
    """A clean photograph; `tags` name the kind of scene."""

    file: str
    tags: frozenset[str]
    source: str
    licence: str

    @property
    def hard(self) -> bool:
        """Whether the scene is a hard negative: it looks defective by intention."""
        return not self.tags.isdisjoint(HARD_TAGS)


@dataclass(frozen=True, slots=True)
class Split:
    """Scenes to learn from, to calibrate on, and to test on; disjoint."""

    train: tuple[Scene, ...]
    calibration: tuple[Scene, ...]
    test: tuple[Scene, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture to render of a scene: its distortions, its augmentation, its labels.

    `labels` are 1 for each defect that was brought in, in the order of the network's outputs; `known` is False where a
    label cannot be relied on.
    """

    scene: Scene
    group: str
    steps: tuple[Distortion, ...]
    augmentation: Augmentation
    labels: tuple[float, float, float]
    known: tuple[bool, bool, bool]
    seed: int


def read_index(folder: Path) -> tuple[Scene, ...]:
    """The scenes that `index.csv` of a photo folder lists, in its order; raises `ConfigError` without one."""
    return read_scenes(folder / "index.csv", tags="tags", source="source")


def read_scenes(index: Path, *, tags: str, source: str) -> tuple[Scene, ...]:
    """The scenes of an index whose columns of tags and source have these names; raises `ConfigError` without them."""
    try:
        with index.open(encoding="utf-8", newline="") as lines:
            return tuple(
                Scene(row["file"], frozenset(filter(None, row[tags].split("|"))), row[source], row["licence"])
                for row in csv.DictReader(lines)
            )
    except (OSError, KeyError) as error:
        problem = f"{index}: needs the columns file, {tags}, {source} and licence ({error})"
        raise ConfigError((problem,)) from error


def split(scenes: Iterable[Scene], splits: Splits) -> Split:
    """Split the scenes by a hash of their file name; a third of every hard tag goes to the test.

    Raises ConfigError where so few scenes are there that a part would stay empty.
    """
    parts: dict[str, list[Scene]] = {"train": [], "calibration": [], "test": []}
    for scene in scenes:
        place = number_of(splits.seed, "split", scene.file) / 2**64
        test = 1 / 3 if scene.hard else splits.test
        part = "test" if place < test else "calibration" if place < test + splits.calibration else "train"
        parts[part].append(scene)
    if empty := [name for name, dealt in parts.items() if not dealt]:
        problem = f"no photograph is left for {' and '.join(empty)}: give more of them, 100 at the least"
        raise ConfigError((problem,))
    return Split(tuple(parts["train"]), tuple(parts["calibration"]), tuple(parts["test"]))


def samples(scene: Scene, draw: int, experiment: Experiment) -> list[Sample]:
    """Return the samples of one draw of a scene, the same for the same seed."""
    rng = np.random.default_rng(number_of(experiment.seed, f"draw {draw}", scene.file))
    views = _EXTRA_CLEAN if scene.hard else 1
    found = [make_sample(scene, "clean", (), Augmentation() if draw == 0 else Augmentation.random_toned(rng), rng)]
    found += [make_sample(scene, "clean", (), Augmentation.random_toned(rng), rng) for _ in range(views)]
    found += [make_sample(scene, "mild", (_mild(rng),), Augmentation.random_toned(rng), rng) for _ in range(views + 1)]
    found += [make_sample(scene, group, maker(rng), _augmentation(group, rng), rng) for group, maker in _MAKERS.items()]
    return found


def _augmentation(group: str, rng: np.random.Generator) -> Augmentation:
    return Augmentation.jpeg() if group.startswith("kadis") else Augmentation.random_toned(rng)


def kadis_step(rng: np.random.Generator, *kinds: Kind) -> Distortion:
    """Return one of the KADIS distortions of these kinds, at one of its levels."""
    kind = kinds[rng.integers(len(kinds))]
    return Distortion(kind, float(rng.choice(KADIS_LEVELS[kind])))


def _mild(rng: np.random.Generator) -> Distortion:
    """Return a change so small that it is no defect."""
    choices = (
        Distortion(Kind.SOFT, rng.uniform(0.3, 0.65)),
        Distortion(Kind.DEFOCUS, rng.uniform(0.5, 0.9)),
        Distortion(Kind.EXPOSURE, rng.uniform(-0.8, 0.5)),
        Distortion(Kind.EXPOSURE, rng.uniform(-0.4, 0.3)),
        Distortion(Kind.BRIGHTEN, rng.uniform(0.05, 0.2)),
        Distortion(Kind.DARKEN, rng.uniform(0.02, 0.15)),
    )
    return choices[rng.integers(len(choices))]


def _blurred(rng: np.random.Generator) -> Distortion:
    """Return defocus, softness, motion or camera shake, from just visible on."""
    return _from(rng, ((Kind.DEFOCUS, 2.2, 16), (Kind.SOFT, 1.4, 8), (Kind.MOTION, 6, 45), (Kind.SHAKE, 10, 60)))


def _ruined(rng: np.random.Generator) -> Distortion:
    """Return strong blur."""
    return _from(rng, ((Kind.DEFOCUS, 4, 16), (Kind.SOFT, 2.5, 8), (Kind.MOTION, 10, 45), (Kind.SHAKE, 20, 60)))


def _from(rng: np.random.Generator, ways: Sequence[tuple[Kind, float, float]]) -> Distortion:
    """Return one of these ways, with a log-uniform level."""
    kind, low, high = ways[int(rng.integers(len(ways)))]
    return Distortion(kind, log_uniform(rng, low, high))


def _under(rng: np.random.Generator) -> tuple[Distortion, ...]:
    return (Distortion(Kind.EXPOSURE, rng.uniform(-5.0, -1.5)),)


def _over(rng: np.random.Generator) -> tuple[Distortion, ...]:
    return (Distortion(Kind.EXPOSURE, rng.uniform(1.5, 4.0)),)


def _under_in_hard_light(rng: np.random.Generator) -> tuple[Distortion, ...]:
    """Return a dark exposure with bright light sources, as in exposure brackets of scenes with high contrast."""
    return (*_hard_light(rng, 3.0), Distortion(Kind.EXPOSURE, rng.uniform(-4.5, -1.5)))


def _over_in_hard_light(rng: np.random.Generator) -> tuple[Distortion, ...]:
    return (*_hard_light(rng, 1.0), Distortion(Kind.EXPOSURE, rng.uniform(1.2, 4.0)))


def _hard_light(rng: np.random.Generator, most: float) -> tuple[Distortion, ...]:
    """Light sources up to `most` stops above the file's white, and light that falls unevenly; either may be missing."""
    steps = []
    if rng.random() < 0.7:
        steps.append(Distortion(Kind.HIGHLIGHTS, rng.uniform(0.0, most)))
    if rng.random() < 0.6:
        steps.append(Distortion(Kind.RELIGHT, rng.uniform(0.0, 1.5)))
    return tuple(steps)


def _both(rng: np.random.Generator) -> tuple[Distortion, ...]:
    return (_blurred(rng), *(_under if rng.random() < 0.5 else _over)(rng))


_MAKERS: dict[str, Callable[[np.random.Generator], tuple[Distortion, ...]]] = {
    "kadis blur": lambda rng: (kadis_step(rng, Kind.LENS, Kind.STREAK),),
    "blur": lambda rng: (_blurred(rng),),
    "strong blur": lambda rng: (_ruined(rng),),
    "under": _under,
    "under, hard light": _under_in_hard_light,
    "under, hard light again": _under_in_hard_light,
    "over": _over,
    "over, hard light": _over_in_hard_light,
    "over, hard light again": _over_in_hard_light,
    "both": _both,
}


def make_sample(
    scene: Scene, group: str, steps: tuple[Distortion, ...], augmentation: Augmentation, rng: np.random.Generator
) -> Sample:
    """Return a sample with the labels that follow from its steps.

    A night scene that is darkened by stops is under-exposed, but the label of a brightened one is unknown, and so is
    that of a darkened white scene.
    """
    shown = set() if group == "mild" else {step.defect for step in steps}
    unsure = group != "mild" and any(
        intended in scene.tags and step.defect is unknown for step in steps for intended, unknown in _UNKNOWN.items()
    )
    blur, under, over = (float(defect in shown) for defect in NETWORK_DEFECTS)
    known = (True, not unsure, not unsure)
    return Sample(scene, group, steps, augmentation, (blur, under, over), known, int(rng.integers(2**63)))


def number_of(seed: int, purpose: str, name: str) -> int:
    """Return a number below 2**64 that depends on the arguments only: the seed of one purpose."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{purpose}/{name}".encode()).digest()[:8], "big")
