"""A KADIS data set on disk: pictures, `labels.csv`, and its two parts split by scene.

Each scene is written as it is, and with one or more of the four KADIS distortions. Files that exist are not made again,
so an interrupted run can be continued. Columns, file names and levels are those of KADIS-700k, as far as the source
document uses it.
"""

from __future__ import annotations

import csv
from dataclasses import astuple, dataclass, fields
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from culld.training.augment import Augmentation
from culld.training.dataset import kadis_step, make_sample
from culld.training.distortions import KADIS_LEVELS, Kind
from culld.training.render import render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.training.dataset import Sample, Scene, Split

    Frame = NDArray[np.uint8]

CLEAN, DISTORTED = "ref_imgs", "dist_imgs"
TYPES = {Kind.LENS: 2, Kind.STREAK: 3, Kind.BRIGHTEN: 16, Kind.DARKEN: 17}
"""KADIS-700k's numbers of the four types."""
_FIRST_LEVEL = {Kind.LENS: 2, Kind.STREAK: 4, Kind.BRIGHTEN: 4, Kind.DARKEN: 4}
_SAVED = Augmentation.jpeg()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `labels.csv`; `path` is relative to its folder, `ref` is the scene, type and level 0 are clean."""

    path: str
    blur: int
    under: int
    over: int
    dist_type: int
    dist_level: int
    ref: str


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes pictures into a folder: `decode` brings a photo into the frame, `save` writes PNG or JPEG by its name."""

    photos: Path
    out: Path
    decode: Callable[[Path], Frame]
    save: Callable[[Frame, Path], None]

    def write(self, scene: Scene, samples: Sequence[Sample]) -> list[Row]:
        """The rows of a scene; pictures that are missing are made."""
        rows = [_row(scene, sample) for sample in samples]
        wanted = [(self.out / row.path, sample) for row, sample in zip(rows, samples, strict=True)]
        missing = [(target, sample) for target, sample in wanted if not target.exists()]
        if missing:
            frame = self.decode(self.photos / scene.file)
            for target, sample in missing:
                self._make(target, render(frame, sample, _unsaved))
        return rows

    def _make(self, target: Path, pixels: Frame) -> None:
        """Write beside, then rename; the name keeps its ending, which selects the format."""
        target.parent.mkdir(parents=True, exist_ok=True)
        torn = target.with_name(f".{target.name}")
        self.save(pixels, torn)
        torn.replace(target)


def kadis_samples(scene: Scene, kinds: int, seed: int) -> list[Sample]:
    """Return the scene clean, and with `kinds` (1..4) of the four KADIS distortions, chosen and drawn by `seed`."""
    rng = np.random.default_rng([seed, *scene.file.encode()])
    chosen = rng.permutation(len(TYPES))[:kinds]
    steps = [kadis_step(rng, list(TYPES)[index]) for index in sorted(chosen)]
    return [
        make_sample(scene, "clean", (), Augmentation(), rng),
        *(make_sample(scene, "kadis", (step,), _SAVED, rng) for step in steps),
    ]


def write_tables(out: Path, parts: Split, rows: Iterable[Sequence[Row]]) -> tuple[int, int]:
    """Write `labels.csv`, `train.csv` and `val.csv`; returns how many rows the last two have.

    The scenes of the test part make up `val.csv`: no scene stands in both.
    """
    kept_out = {scene.file for scene in parts.test}
    everything = list(chain.from_iterable(rows))
    train = [row for row in everything if row.ref not in kept_out]
    val = [row for row in everything if row.ref in kept_out]
    for name, chosen in (("labels.csv", everything), ("train.csv", train), ("val.csv", val)):
        with (out / name).open("w", encoding="utf-8", newline="") as stream:
            lines = csv.writer(stream, lineterminator="\n")
            lines.writerow([field.name for field in fields(Row)])
            lines.writerows(astuple(row) for row in chosen)
    return len(train), len(val)


def _row(scene: Scene, sample: Sample) -> Row:
    name = scene.file.replace("/", "_").rsplit(".", 1)[0]
    blur, under, over = (int(label) for label in sample.labels)
    if not sample.steps:
        return Row(f"{CLEAN}/{name}.png", blur, under, over, 0, 0, scene.file)
    (step,) = sample.steps
    kind = TYPES[step.kind]
    level = _FIRST_LEVEL[step.kind] + KADIS_LEVELS[step.kind].index(step.level)
    return Row(f"{DISTORTED}/{name}_{kind:02}_{level:02}.jpg", blur, under, over, kind, level, scene.file)


def _unsaved(pixels: Frame, quality: int) -> Frame:  # noqa: ARG001 - it is saved with this quality right afterwards
    return pixels
