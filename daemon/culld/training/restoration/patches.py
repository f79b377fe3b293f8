"""Batches of patches: a pure function of the photos, the experiment and the number of the step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culld.training.dataset import number_of
from culld.training.restoration.degrade import MARGIN, pair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from culld.training.restoration.experiment import RestorationExperiment

    Photo = NDArray[np.uint8]
    Batch = tuple[NDArray[np.float32], NDArray[np.float32]]


def batch_of(photos: Sequence[Photo], experiment: RestorationExperiment, step: int) -> Batch:
    """Return compressed patches and their originals of one step: float32 0..255 (batch, patch, patch, 3), both.

    Each photo is uint8 RGB (height, width, 3), at least a patch and twice `MARGIN` on each side.
    """
    rng = np.random.default_rng(number_of(experiment.seed, "restoration", str(step)))
    chosen = rng.integers(0, len(photos), experiment.batch)
    pairs = [pair(_cut(photos[int(index)], experiment.patch + 2 * MARGIN, rng), experiment, rng) for index in chosen]
    spoilt, clean = (np.stack(side).astype(np.float32) for side in zip(*pairs, strict=True))
    return spoilt, clean


def _cut(photo: Photo, side: int, rng: np.random.Generator) -> Photo:
    """Return a random square of a photo, at times mirrored or turned upside down."""
    top = int(rng.integers(0, photo.shape[0] - side + 1))
    left = int(rng.integers(0, photo.shape[1] - side + 1))
    found = photo[top : top + side, left : left + side]
    if rng.random() < 0.5:
        found = found[:, ::-1]
    if rng.random() < 0.5:
        found = found.transpose(1, 0, 2)
    return np.ascontiguousarray(found)
