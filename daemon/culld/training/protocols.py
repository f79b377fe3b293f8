"""Evaluation protocols: lists of samples of scenes that the model was not trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culld.training.augment import Augmentation
from culld.training.dataset import kadis_step, make_sample
from culld.training.distortions import KADIS_LEVELS, Distortion, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from culld.training.dataset import Sample, Scene

_SAVED = Augmentation.jpeg()
_PLAIN = Augmentation()
_STRONG = {
    "disk 4": Distortion(Kind.DEFOCUS, 4),
    "disk 8": Distortion(Kind.DEFOCUS, 8),
    "gaussian 3": Distortion(Kind.SOFT, 3),
    "gaussian 5": Distortion(Kind.SOFT, 5),
    "motion 12": Distortion(Kind.MOTION, 12),
    "motion 30": Distortion(Kind.MOTION, 30),
    "hand path 30": Distortion(Kind.SHAKE, 30),
    "cat eye 7": Distortion(Kind.CAT_EYE, 7),
}


def kadis_protocol(scenes: Iterable[Scene], seed: int) -> list[Sample]:
    """The test of the source document: each scene clean, and with one of the four distortions at one of its levels."""
    rng = np.random.default_rng(seed)
    found = []
    for scene in scenes:
        found.append(make_sample(scene, "clean", (), _PLAIN, rng))
        found.append(make_sample(scene, "kadis", (kadis_step(rng, *KADIS_LEVELS),), _SAVED, rng))
    return found


def linear_protocol(scenes: Iterable[Scene], seed: int) -> list[Sample]:
    """Defects as lenses, hands and sensors make them: each scene clean, blurred, under- and over-exposed.

    The cat's eyes are a kind of blur that no training picture has.
    """
    rng = np.random.default_rng(seed)
    found = []
    for scene in scenes:
        kind, low, high = ((Kind.DEFOCUS, 2.5, 8), (Kind.MOTION, 8, 30), (Kind.SHAKE, 15, 40), (Kind.CAT_EYE, 3, 8))[
            rng.integers(4)
        ]
        blur = Distortion(kind, rng.uniform(low, high))
        under, over = rng.uniform(-5.0, -1.5), rng.uniform(1.5, 4.0)
        found.append(make_sample(scene, "clean", (), _PLAIN, rng))
        steps = (blur, Distortion(Kind.EXPOSURE, under), Distortion(Kind.EXPOSURE, over))
        found += [make_sample(scene, "linear", (step,), Augmentation.random(rng), rng) for step in steps]
    return found


def strong_blur(scenes: Iterable[Scene], seed: int) -> list[Sample]:
    """Each scene blurred beyond doubt, in one of several ways in turn; the group names the way."""
    rng = np.random.default_rng(seed)
    ways = list(_STRONG.items())
    return [
        make_sample(scene, name, (step,), Augmentation.random(rng), rng)
        for index, scene in enumerate(scenes)
        for name, step in (ways[index % len(ways)],)
    ]


def clean_ways(scenes: Iterable[Scene], seed: int) -> list[Sample]:
    """Each scene clean, but cropped, sharpened and saved differently: none of them may be flagged."""
    rng = np.random.default_rng(seed)
    return [make_sample(scene, "clean", (), Augmentation.random(rng), rng) for scene in scenes]
