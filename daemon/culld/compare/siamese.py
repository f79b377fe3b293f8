"""Siamese networks of change: one encoder for both frames, the differences of its levels, and a light decoder.

FC-Siam-diff of Daudt, Le Saux and Boulch (2018), with a stem of stride 2. Keras is imported only when one is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culld.training.change.losses import FEATURES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LEVELS = 4
"""Every encoder gives four levels of features, at a half, a quarter, an eighth and a sixteenth of the frame's size."""
_CAFFE_MEANS = (123.68, 116.779, 103.939)  # red, green, blue of ImageNet, in the networks ported from Caffe


def siamese(encoder: Any, size: tuple[int, int], widths: Sequence[int]) -> Any:
    """Return the Keras model from two frames of this (height, width) to logits of change (n, height, width, 1).

    `encoder` is a Keras model from one frame, float32 0..255 RGB, to `LEVELS` levels of features, the finest one first.
    `widths` are the channels of the decoder at these levels.
    """
    import keras

    first, second = (keras.Input((*size, 3), name=name) for name in ("first", "second"))
    pairs = list(zip(encoder(first), encoder(second), strict=True))
    pairs[-1] = tuple(keras.layers.Identity(name=name)(level) for name, level in zip(FEATURES, pairs[-1], strict=True))
    differences = [keras.ops.abs(one - other) for one, other in pairs]
    logits = keras.layers.Conv2D(1, 1, name="logits_half")(_decode(differences, widths))
    return keras.Model([first, second], keras.layers.UpSampling2D(2, interpolation="bilinear", name="logits")(logits))


def convolution(level: Any, width: int, kernel: int = 3, stride: int = 1) -> Any:
    """Return a level behind a convolution, a batch norm and a ReLU."""
    import keras

    level = keras.layers.Conv2D(width, kernel, stride, padding="same", use_bias=False)(level)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.95)(level))


def caffe_trunk(application: str, layers: Sequence[str], size: tuple[int, int], weights: Path | None) -> Any:
    """Return the encoder out of these layers of ResNet50 or VGG16, which take BGR less its mean over ImageNet."""
    import keras

    pixels = keras.Input((*size, 3), name="pixels")
    scaled = keras.layers.Rescaling(1.0, offset=[-mean for mean in _CAFFE_MEANS])(pixels)
    scaled = keras.ops.flip(scaled, axis=-1)
    whole = getattr(keras.applications, application)(include_top=False, weights=None, input_tensor=scaled)
    if weights is not None:
        whole.load_weights(weights)
    return cut(whole, layers)


def cut(whole: Any, layers: Sequence[str]) -> Any:
    """Return the frozen encoder whose levels are these layers of a Keras model of one frame."""
    import keras

    encoder = keras.Model(whole.input, [whole.get_layer(name).output for name in layers], name="encoder")
    encoder.trainable = False
    return encoder


def _decode(differences: Sequence[Any], widths: Sequence[int]) -> Any:
    """Return the features at half of the frame's size, gathered from the deepest level upwards."""
    import keras

    *finer, deepest = [convolution(level, width, 1) for level, width in zip(differences, widths, strict=True)]
    found = convolution(convolution(deepest, widths[-1]), widths[-1])
    for level, width in zip(reversed(finer), reversed(widths[:-1]), strict=True):
        found = keras.layers.UpSampling2D(2, interpolation="bilinear")(found)
        found = convolution(keras.layers.Concatenate()([found, level]), width)
    return found
