"""The pictures of one scene for the correction of exposure: whole-frame defects and composites, with their labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culld.training.augment import Augmentation
from culld.training.dataset import kadis_step, make_sample, samples
from culld.training.distortions import Kind
from culld.training.experiment import Experiment
from culld.training.exposure.composites import composites
from culld.training.exposure.mattes import blob, matte_of
from culld.training.render import render, visible_labels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from culld.training.dataset import Sample, Scene
    from culld.training.render import Jpeg

_ALWAYS = ("clean", "mild", "over, hard light", "under, hard light")
_SOMETIMES = ("over", "under", "both", "blur", "over, hard light again", "kadis exposure")
_DRAWN = 3  # of the groups above, for each scene
_HARD_VIEWS = 4  # clean views of a night, high-key or bokeh scene


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished frame, uint8 RGB, with its labels for under and over; `known` is False where a label is not sure."""

    frame: NDArray[np.uint8]
    group: str
    labels: tuple[bool, bool]
    known: tuple[bool, bool]


def pictures(scene: Scene, frame: NDArray[np.uint8], jpeg: Jpeg, rng: np.random.Generator) -> Iterator[Picture]:
    """Yield the pictures of a scene whose clean frame is `frame`; `jpeg` saves pixels and reads them again."""
    for sample in _chosen(scene, rng):
        pixels = render(frame, sample, jpeg)
        known = visible_labels(pixels, sample) & np.array(sample.known)
        hard = "hard " if scene.hard and sample.group == "clean" else ""
        _, under, over = (bool(label) for label in sample.labels)
        yield Picture(pixels, hard + sample.group, (under, over), (bool(known[1]), bool(known[2])))
    if "night_lowkey" in scene.tags:  # the subject of a dark scene is not known to be well exposed
        return
    found = matte_of(frame)
    name = "blob" if found is None else "cut"
    for each in composites(frame, blob(frame.shape[:2], rng) if found is None else found, rng):
        pixels = jpeg(each.frame, int(rng.integers(70, 97)))
        labels, known_pair = (each.under or False, each.over or False), (each.under is not None, each.over is not None)
        yield Picture(pixels, f"{name} {each.group}", labels, known_pair)


def _chosen(scene: Scene, rng: np.random.Generator) -> list[Sample]:
    """Choose a few of the defect network's samples of this scene."""
    drawn = samples(scene, int(rng.integers(100)), Experiment())
    kadis = kadis_step(rng, Kind.BRIGHTEN, Kind.DARKEN)
    drawn.append(make_sample(scene, "kadis exposure", (kadis,), Augmentation.jpeg(), rng))
    groups = {*_ALWAYS, *rng.permutation(_SOMETIMES)[:_DRAWN]}
    most = {"clean": _HARD_VIEWS if scene.hard else 1}
    kept: list[Sample] = []
    for sample in drawn:
        if sample.group in groups and sum(other.group == sample.group for other in kept) < most.get(sample.group, 1):
            kept.append(sample)
    return kept
