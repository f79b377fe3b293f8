"""Training of the segmentation network, step by step; a run that was interrupted goes on from its last checkpoint."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.training.checkpoints import load_checkpoint, made_ahead, save_checkpoint
from culld.training.dataset import number_of
from culld.training.segmentation.composites import composite
from culld.training.segmentation.losses import NAME, dice_entropy
from culld.training.segmentation.network import build_segmentation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.training.segmentation.composites import Rules
    from culld.training.segmentation.experiment import SegmentationExperiment

    Photo = NDArray[np.uint8]
    Batch = tuple[NDArray[np.float32], NDArray[np.float32]]

EVERY: Final = 100
"""Steps between two checkpoints."""


def train_segmentation(
    photos: Sequence[Photo],
    experiment: SegmentationExperiment,
    rules: Rules,
    backup: Path,
    progress: Callable[[int, float], object],
) -> Any:
    """Return the trained Keras model; `progress` gets the step and the mean loss since the last checkpoint.

    `backup` is the folder of the checkpoints of this run; one with other values needs another folder.
    """
    import keras

    keras.utils.set_random_seed(experiment.seed)
    model, start = _started(experiment, backup)
    losses = []
    draw = functools.partial(batch_of, photos, experiment, rules)
    for step, (pixels, truth) in made_ahead(draw, start, experiment.steps):
        losses.append(float(model.train_on_batch(pixels, truth)))
        if (step + 1) % EVERY == 0 or step + 1 == experiment.steps:
            save_checkpoint(model, backup, step + 1)
            progress(step + 1, float(np.mean(losses)))
            losses.clear()
    return model


def batch_of(photos: Sequence[Photo], experiment: SegmentationExperiment, rules: Rules, step: int) -> Batch:
    """Return the composites of a step: pixels 0..255 (batch, crop, crop, 3), labels and weights (..., 16), float32.

    They depend on nothing else. Each photo is seen once before any is seen again.
    """
    drawn = []
    for number in range(step * experiment.batch, (step + 1) * experiment.batch):
        turn, place = divmod(number, len(photos))
        order = np.random.default_rng(number_of(experiment.seed, "order", str(turn))).permutation(len(photos))
        rng = np.random.default_rng(number_of(experiment.seed, "composite", str(number)))
        other = photos[int(rng.integers(len(photos)))]
        drawn.append(composite(photos[int(order[place])], other, experiment, rules, rng))
    pixels = np.stack([each.pixels for each in drawn]).astype(np.float32)
    truth = np.stack([np.concatenate((each.labels, each.weights), axis=2) for each in drawn]).astype(np.float32)
    return pixels, truth


def _started(experiment: SegmentationExperiment, backup: Path) -> tuple[Any, int]:
    """Return the model and its number of steps: of the last checkpoint, or a new one."""
    import keras

    loss = dice_entropy(experiment.dice, experiment.entropy)
    if (found := load_checkpoint(backup, {NAME: loss})) is not None:
        return found
    model = build_segmentation(experiment.channels)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        experiment.steps,
        alpha=0.01,
        warmup_target=experiment.learning_rate,
        warmup_steps=min(100, experiment.steps // 10),
    )
    model.compile(optimizer=keras.optimizers.AdamW(rate, weight_decay=1e-4, clipnorm=1.0), loss=loss)
    return model, 0
