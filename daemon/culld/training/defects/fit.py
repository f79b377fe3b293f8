"""Training the heads on finished features."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.training.defects.network import average, build_heads

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from culld.training.defects.features import Table
    from culld.training.defects.network import Layout
    from culld.training.experiment import Experiment

    Norm = tuple[NDArray[np.float32], NDArray[np.float32]]

_ROWS = 4096
_LEAST_VARIANCE = 1e-6


def fit_heads(table: Table, layout: Layout, experiment: Experiment, progress: Callable[[int, int], None]) -> Any:
    """Train the three heads on these rows, as often as there are members; the Keras model from features to logits.

    The mean of several members depends less on the chance of one training than any of them.
    """
    norm = _norm(table.features)
    members = []
    for number in range(experiment.members):
        told = functools.partial(_told, progress, number * experiment.epochs, experiment.members * experiment.epochs)
        members.append(_fit(table, layout, replace(experiment, seed=experiment.seed + number), norm, told))
    return average(members)


def _told(progress: Callable[[int, int], None], before: int, total: int, epoch: int) -> None:
    progress(before + epoch + 1, total)


def _fit(table: Table, layout: Layout, experiment: Experiment, norm: Norm, told: Callable[[int], None]) -> Any:
    import keras

    keras.utils.set_random_seed(experiment.seed)
    heads = build_heads(experiment.heads, layout, experiment.sees, norm, experiment.neck)
    steps = experiment.epochs * -(-len(table.features) // experiment.batch)
    rate = keras.optimizers.schedules.CosineDecay(experiment.rate, steps)
    heads.compile(optimizer=keras.optimizers.AdamW(rate, weight_decay=experiment.decay), loss=_loss)
    heard = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: told(epoch))
    goal = np.concatenate([table.labels, row_weights(table, experiment)], axis=1)
    heads.fit(table.features, goal, batch_size=experiment.batch, epochs=experiment.epochs, verbose=0, callbacks=[heard])
    # A model that was compiled with our loss could not be loaded elsewhere.
    finished = build_heads(experiment.heads, layout, experiment.sees, norm, experiment.neck)
    finished.set_weights(heads.get_weights())
    return finished


def _norm(features: NDArray[np.float16]) -> Norm:
    """Mean and variance of each column, in parts: single-precision copies of all rows would not fit small machines."""
    total, square = np.zeros((2, features.shape[1]))
    for start in range(0, len(features), _ROWS):
        part = features[start : start + _ROWS].astype(np.float64)
        total, square = total + part.sum(axis=0), square + (part**2).sum(axis=0)
    mean = total / len(features)
    variance = np.maximum(square / len(features) - mean**2, 0) + _LEAST_VARIANCE
    return mean.astype(np.float32), variance.astype(np.float32)


def row_weights(table: Table, experiment: Experiment) -> NDArray[np.float32]:
    """How much each head hears of each picture (n, 3): more of hard negatives, nothing where the truth is unknown."""
    weights = table.known.astype(np.float32)
    clean, mild = table.group == "clean", table.group == "mild"
    weights[(clean | mild) & table.hard] *= experiment.hard
    weights[clean & ~table.hard] *= experiment.clean
    weights[mild & ~table.hard] *= experiment.mild
    return weights


def _loss(goal: Any, logits: Any) -> Any:
    """Binary cross-entropy per head; `goal` holds three labels and three weights."""
    import keras

    labels, weights = goal[:, :3], goal[:, 3:]
    each = keras.ops.relu(logits) - logits * labels + keras.ops.log1p(keras.ops.exp(-keras.ops.abs(logits)))
    return keras.ops.sum(each * weights, axis=-1)
