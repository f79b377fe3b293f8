"""Losses of networks of change: on the map, and on the distance of both frames' features.

`bce+dice` is cross-entropy of each pixel plus the soft Dice loss of a batch. The other two add a part on the features
of the deepest level, whose distance becomes an output: `contrastive` of Hadsell, Chopra and LeCun (2006) for each cell,
and `triplet` of Schroff, Kalenichenko and Philbin (2015) for each pair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

LOSSES = ("bce+dice", "contrastive", "triplet")
LOGITS, DISTANCE = "logits", "distance"
"""The outputs of a network that learns: the map of logits, and the distance of features (n, height, width, 1)."""
FEATURES = ("first_features", "second_features")
"""The layers of a network that hold both frames' features of the deepest level."""
_TINY = 1e-6


def learner(model: Any, loss: str) -> Any:
    """Return a model of the same weights with the outputs that a loss of `LOSSES` needs, by name."""
    import keras

    outputs = {LOGITS: model.output}
    if loss != LOSSES[0]:
        first, second = (_unit(model.get_layer(name).output) for name in FEATURES)
        squares = keras.ops.sum(keras.ops.square(first - second), axis=-1, keepdims=True)
        outputs[DISTANCE] = keras.ops.sqrt(squares + _TINY)
    return keras.Model(model.inputs, outputs)


def losses(loss: str, margin: float) -> dict[str, Callable[[Any, Any], Any]]:
    """Return the loss of each output of the `learner` of this loss."""
    found: dict[str, Callable[[Any, Any], Any]] = {LOGITS: bce_dice}
    if loss == "contrastive":
        found[DISTANCE] = lambda truth, distance: contrastive(truth, distance, margin)
    if loss == "triplet":
        found[DISTANCE] = lambda truth, distance: triplet(truth, distance, margin)
    return found


def bce_dice(truth: Any, logits: Any) -> Any:
    """Return the mean cross-entropy of the pixels plus one less the Dice coefficient of the whole batch."""
    from keras import ops

    entropy = ops.mean(ops.softplus(logits) - truth * logits)
    probability = ops.sigmoid(logits)
    both = ops.sum(truth * probability)
    return entropy + 1 - (2 * both + 1) / (ops.sum(truth) + ops.sum(probability) + 1)


def contrastive(truth: Any, distance: Any, margin: float) -> Any:
    """Return the mean over cells: squared distance where unchanged, squared lack of `margin` where changed."""
    from keras import ops

    changed = _to_cells(truth, distance)
    apart = ops.square(ops.maximum(margin - distance, 0))
    return ops.mean((1 - changed) * ops.square(distance) + changed * apart)


def triplet(truth: Any, distance: Any, margin: float) -> Any:
    """Return by how much changed cells of a pair lack `margin` over its unchanged ones, in the mean of each.

    The anchor is the first frame, the positive the unchanged part of the second one, the negative its changed part.
    """
    from keras import ops

    changed = _to_cells(truth, distance)
    axes = (1, 2, 3)
    near = ops.sum((1 - changed) * distance, axes) / (ops.sum(1 - changed, axes) + _TINY)
    far = ops.sum(changed * distance, axes) / (ops.sum(changed, axes) + _TINY)
    any_changed = ops.cast(ops.sum(changed, axes) > 0.5, distance.dtype)
    return ops.mean(any_changed * ops.maximum(near - far + margin, 0) + (1 - any_changed) * near)


def _unit(features: Any) -> Any:
    from keras import ops

    return features / ops.sqrt(ops.sum(ops.square(features), axis=-1, keepdims=True) + _TINY)


def _to_cells(truth: Any, distance: Any) -> Any:
    """Return the share of each cell that has changed, in the size of the map of distances."""
    from keras import ops

    cell = truth.shape[1] // distance.shape[1]
    return ops.average_pool(truth, cell, cell)
