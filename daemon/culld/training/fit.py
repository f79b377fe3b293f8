"""Training the heads on finished features, and calibrating what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from culld.training.network import Calibration, build_heads

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from culld.training.experiment import Experiment
    from culld.training.features import Table

_NEWTON_STEPS = 50
_ENOUGH = 1e-6


def fit_heads(
    table: Table, columns: NDArray[np.intp], experiment: Experiment, progress: Callable[[int, int], None]
) -> Any:
    """Train the three heads on these rows and columns; returns the Keras model from features to logits."""
    import keras

    keras.utils.set_random_seed(experiment.seed)
    features = table.features[:, columns]
    mean, variance = features.mean(axis=0), features.var(axis=0) + np.float32(1e-6)
    heads = build_heads(mean, variance)
    steps = experiment.epochs * -(-len(features) // experiment.batch)
    rate = keras.optimizers.schedules.CosineDecay(experiment.rate, steps)
    heads.compile(optimizer=keras.optimizers.AdamW(rate, weight_decay=experiment.decay), loss=_loss)
    told = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: progress(epoch + 1, experiment.epochs))
    goal = np.concatenate([table.labels, row_weights(table, experiment)], axis=1)
    heads.fit(features, goal, batch_size=experiment.batch, epochs=experiment.epochs, verbose=0, callbacks=[told])
    finished = build_heads(mean, variance)  # a model that was compiled with our loss could not be loaded elsewhere
    finished.set_weights(heads.get_weights())
    return finished


def row_weights(table: Table, experiment: Experiment) -> NDArray[np.float32]:
    """How much each head hears of each picture (n, 3): more of hard negatives, nothing where the truth is unknown."""
    weights = table.known.astype(np.float32)
    clean = np.isin(table.group, ("clean", "mild"))
    weights[clean & table.hard] *= experiment.hard
    weights[clean & ~table.hard] *= experiment.clean
    weights[np.isin(table.group, ("seed under", "seed over"))] *= experiment.seed_exposure
    return weights


def calibrate(logits: NDArray[np.float32], table: Table, experiment: Experiment) -> Calibration:
    """The scale (one over the temperature) and offset per head under which the logits are honest probabilities.

    Half of the pictures that training makes are defective; in a real folder few are. The rows are weighed so that each
    defect has the prevalence of the experiment, then the likelihood is maximised (Platt, 1999). A rate that the
    heads never saw must not be fitted to: `table` holds scenes that nobody trained on.
    """
    pairs = [_platt(logits[:, head], *_balanced(table, head, experiment)) for head in range(3)]
    (a, b, c), (d, e, f) = zip(*pairs, strict=True)
    return Calibration((a, b, c), (d, e, f))


def _balanced(table: Table, head: int, experiment: Experiment) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    labels = table.labels[:, head].astype(np.float64)
    weights = table.known[:, head].astype(np.float64)
    for label, share in ((1.0, experiment.prevalence), (0.0, 1 - experiment.prevalence)):
        rows = labels == label
        weights[rows] *= share / max(weights[rows].sum(), 1.0)
    return labels, weights * len(labels)


def _platt(
    logits: NDArray[np.float32], labels: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Weighted logistic regression on one input: Newton's method, each step halved until it helps.

    A weak prior around no change keeps nearly separable data from an endless slope.
    """
    design = np.stack([logits.astype(np.float64), np.ones(len(logits))], axis=1)
    found = prior = np.array([1.0, 0.0])

    def cost(at: NDArray[np.float64]) -> float:
        raw = design @ at
        return float(weights @ (np.logaddexp(0, raw) - labels * raw) + ((at - prior) ** 2).sum() / 2)

    for _ in range(_NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ found, -40, 40)))
        slope = design.T @ (weights * (chance - labels)) + (found - prior)
        bend = (design * (weights * chance * (1 - chance))[:, None]).T @ design + np.eye(2)
        step = np.linalg.solve(bend, slope)
        while cost(found - step) > cost(found) and np.abs(step).max() > _ENOUGH:
            step = step / 2
        if np.abs(step).max() <= _ENOUGH:
            break
        found = found - step
    return max(float(found[0]), 0.05), float(found[1])


def _loss(goal: Any, logits: Any) -> Any:
    """Binary cross-entropy per head; `goal` holds three labels and three weights."""
    import keras

    labels, weights = goal[:, :3], goal[:, 3:]
    each = keras.ops.relu(logits) - logits * labels + keras.ops.log1p(keras.ops.exp(-keras.ops.abs(logits)))
    return keras.ops.sum(each * weights, axis=-1)
