"""The frozen layers of a model in training: where they end, and the statistics of their batch norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from culld.training.backbones import mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

NECK = "neck_dropout"
"""The name of the layer in front of the heads."""

_MEASURED = 8  # pictures at a time


def split_at_frozen(model: Any, *, tuned: bool) -> tuple[Any, Any] | None:
    """Return the part of the model that is frozen and the rest, two Keras models that share the layers of `model`.

    None where no layer is frozen. `tuned`: whether layers of the backbone are trained; else the rest is the heads.
    """
    import keras

    border = frozen_output(model) if tuned else model.get_layer(NECK).input
    if border is None:
        return None
    return keras.Model(model.input, border), keras.Model(border, model.output)


def frozen_output(model: Any) -> Any | None:
    """Return the output of the last layer below all trained ones through which everything passes; None without one."""
    layers = model.layers
    places = {id(layer.output): place for place, layer in enumerate(layers)}
    first = next(place for place, layer in enumerate(layers) if layer.trainable_weights)
    # the first two layers are the pixels and their scaling: nothing is saved below them
    for border in range(first - 1, 1, -1):
        if all(places[id(tensor)] >= border for layer in layers[border + 1 :] for tensor in _inputs(layer)):
            return layers[border].output
    return None


def unfold_batch_norm(backbone: Any, frames: NDArray[Any]) -> None:
    """Give every batch norm the statistics of its inputs on these frames, without a change of what it computes.

    Weights whose batch norm was folded into the convolutions hold no statistics (mean 0, variance 1). In training,
    batch norm divides by those of the batch: only with the true ones in scale and offset is the result about the same.
    """
    import keras

    norms = [layer for layer in backbone.layers if type(layer).__name__ == "BatchNormalization"]
    sums = [part for norm in norms for part in (mean(norm.input), mean(keras.ops.square(norm.input)))]
    probe = keras.Model(backbone.input, sums)
    parts = [
        [np.asarray(found, np.float64).mean(axis=0) for found in probe.predict_on_batch(chosen.astype(np.float32))]
        for chosen in (frames[start : start + _MEASURED] for start in range(0, len(frames), _MEASURED))
    ]
    means = [np.mean(values, axis=0) for values in zip(*parts, strict=True)]
    for norm, average, square in zip(norms, means[::2], means[1::2], strict=True):
        variance = np.maximum(square - average**2, 0.0)
        norm.set_weights(_same_function(norm, average, variance))


def _same_function(norm: Any, average: NDArray[np.float64], variance: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return scale, offset, mean and variance of a batch norm that computes the same with these statistics."""
    scale, offset, old_average, old_variance = (np.asarray(each, np.float64) for each in norm.get_weights())
    slope = scale / np.sqrt(old_variance + norm.epsilon)
    return [
        slope * np.sqrt(variance + norm.epsilon),
        offset + slope * (average - old_average),
        average,
        variance,
    ]


def _inputs(layer: Any) -> list[Any]:
    return layer.input if isinstance(layer.input, list) else [layer.input]
