"""Training the heads on finished features."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.training.defects.network import average, build_heads
from culld.training.defects.real_photos import GROUP

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from culld.training.defects.features import Table
    from culld.training.defects.network import Layout
    from culld.training.experiment import Experiment

    Norm = tuple[NDArray[np.float32], NDArray[np.float32]]

_ROWS = 4096
_CLEAN = ("clean", "small", "lifted")  # groups of pictures without a defect
_LEAST_VARIANCE = 1e-6


def fit_heads(table: Table, layout: Layout, experiment: Experiment, progress: Callable[[int, int], None]) -> Any:
    """Train `experiment.ensemble` sets of heads on these rows; return the Keras model from features to logits.

    The mean logits of several sets depend less on chance than those of one. With `experiment.distill` one more set
    learns their answers and takes their place: it has the size of one.
    """
    norm = _norm(table.features)
    sets = experiment.ensemble + experiment.distill
    goal = np.concatenate([table.labels, row_weights(table, experiment)], axis=1)

    def fitted(goal: NDArray[np.float32], number: int) -> Any:
        recipe = replace(experiment, seed=experiment.seed + number)
        done, total = number * experiment.epochs, sets * experiment.epochs
        return _fit(table.features, goal, layout, recipe, norm, lambda epoch: progress(done + epoch + 1, total))

    together = average([fitted(goal, number) for number in range(experiment.ensemble)])
    if not experiment.distill:
        return together
    return fitted(distilled_goal(goal, together.predict(table.features, verbose=0)), experiment.ensemble)


def distilled_goal(goal: NDArray[np.float32], logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the goal (n, 6) with the probabilities of these logits (n, 3) in place of its labels.

    A label that was unknown has the weight 1: the answers of several sets are soft labels there, too (Hinton, Vinyals
    and Dean 2015).
    """
    weights = goal[:, 3:]
    chances = 1 / (1 + np.exp(-logits.astype(np.float64)))
    return np.concatenate([chances, np.where(weights > 0, weights, 1)], axis=1).astype(np.float32)


def _fit(
    features: NDArray[np.float16],
    goal: NDArray[np.float32],
    layout: Layout,
    experiment: Experiment,
    norm: Norm,
    report: Callable[[int], None],
) -> Any:
    import keras

    keras.utils.set_random_seed(experiment.seed)
    heads = build_heads(experiment.heads, layout, experiment.inputs, norm, experiment.dropout)
    steps = experiment.epochs * -(-len(features) // experiment.batch)
    rate = keras.optimizers.schedules.CosineDecay(experiment.learning_rate, steps)
    heads.compile(optimizer=keras.optimizers.AdamW(rate, weight_decay=experiment.weight_decay), loss=_loss)
    reporter = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: report(epoch))
    heads.fit(features, goal, batch_size=experiment.batch, epochs=experiment.epochs, verbose=0, callbacks=[reporter])
    # A model compiled with this loss function could not be loaded without it.
    finished = build_heads(experiment.heads, layout, experiment.inputs, norm, experiment.dropout)
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
    """Return the weight of each picture for each head (n, 3): more for hard negatives, 0 where a label is unknown."""
    weights = table.known.astype(np.float32)
    clean, mild = np.isin(table.group, _CLEAN), table.group == "mild"
    weights[((clean | mild) & table.hard) | (table.group == GROUP)] *= experiment.weight_hard
    weights[clean & ~table.hard] *= experiment.weight_clean
    weights[mild & ~table.hard] *= experiment.weight_mild
    return weights


def _loss(goal: Any, logits: Any) -> Any:
    """Binary cross-entropy per head; `goal` holds three labels and three weights."""
    import keras

    labels, weights = goal[:, :3], goal[:, 3:]
    each = keras.ops.relu(logits) - logits * labels + keras.ops.log1p(keras.ops.exp(-keras.ops.abs(logits)))
    return keras.ops.sum(each * weights, axis=-1)
