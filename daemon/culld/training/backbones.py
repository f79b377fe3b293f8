"""Backbones: networks of `keras.applications` without their classifier, and the pooling of their layers.

Every backbone takes pixels 0..255 and holds its own preprocessing. Keras is imported only when one is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

HEIGHT, WIDTH = 384, 512
"""The size in pixels of the frame that every network takes."""
LEAST_VARIANCE = 1e-4
"""Variances below it are rounding errors: single precision knows E[x^2] of a ReLU6 to some 1e-6."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network of `keras.applications` without its classifier, and the names of its early layers that are used.

    `scale_to_minus_one`: whether it takes values -1 to 1; the others hold their own scaling of pixels.
    """

    application: str
    stages: tuple[str, ...]
    scale_to_minus_one: bool
    options: tuple[tuple[str, Any], ...] = ()


BACKBONES = {
    "mobilenetv2": Backbone(
        "MobileNetV2",
        ("Conv1_relu", "block_1_expand_relu", "block_3_expand_relu", "block_6_expand_relu"),
        scale_to_minus_one=True,
    ),
    "efficientnetb0": Backbone(
        "EfficientNetB0",
        ("stem_activation", "block2a_expand_activation", "block3a_expand_activation", "block4a_expand_activation"),
        scale_to_minus_one=False,
    ),
    "mobilenetv3small": Backbone(
        "MobileNetV3Small",
        ("expanded_conv_project_bn", "expanded_conv_1_expand_bn", "expanded_conv_3_expand_bn"),
        scale_to_minus_one=False,
        options=(("include_preprocessing", True),),
    ),
}


def build_backbone(name: str, shape: tuple[int, int, int], weights: Path | str | None) -> Any:
    """Return the Keras model of a whole backbone that takes pixels 0..255 of this shape (height, width, 3).

    `weights` is a file (`.npz` of folded convolutions for MobileNetV2, else what Keras saved), the word `imagenet` to
    have Keras download them, or None for random ones. Raises `ConfigError` for an unknown name or an unreadable file.
    """
    import keras

    backbone = backbone_named(name)
    scaled = pixels = keras.Input(shape, name="pixels")
    if backbone.scale_to_minus_one:
        scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(pixels)
    build: Callable[..., Any] = getattr(keras.applications, backbone.application)
    online = "imagenet" if weights == "imagenet" else None
    model = build(include_top=False, weights=online, input_tensor=scaled, **dict(backbone.options))
    if isinstance(weights, Path):
        _load(model, weights)
    return model


def backbone_named(name: str) -> Backbone:
    """Return the backbone of this name; raises `ConfigError` that lists all names."""
    if name not in BACKBONES:
        raise ConfigError((f"backbone: {name!r} is not one of {', '.join(BACKBONES)}",))
    return BACKBONES[name]


def mean(level: Any) -> Any:
    """Return the mean of each channel (n, channels).

    Row by row: LiteRT adds one value after the other in single precision, and over 50,000 nearly equal ones that alone
    is wrong by a thousandth.
    """
    import keras

    return keras.ops.mean(keras.ops.mean(level, axis=2), axis=1)


def deviation(level: Any) -> Any:
    """Return the standard deviation of each channel (n, channels), as the root of E[x^2] - E[x]^2 in one pass."""
    import keras

    square = mean(keras.ops.square(level))
    return keras.ops.sqrt(keras.ops.maximum(square - keras.ops.square(mean(level)), LEAST_VARIANCE))


def _load(model: Any, file: Path) -> None:
    try:
        if file.suffix == ".npz":
            _load_folded(model, file)
        else:
            model.load_weights(file)
    except (OSError, ValueError, KeyError, StopIteration) as error:
        raise ConfigError((f"{file}: no weights for this backbone can be read there: {error}",)) from error


def _load_folded(model: Any, file: Path) -> None:
    """Set folded convolution weights (`NN_name/w`, `NN_name/b`, in network order) as far as the backbone goes.

    The batch norm behind each convolution becomes the bias that was folded into it.
    """
    found = np.load(file)
    names = iter(sorted({key.split("/")[0] for key in found}))
    bias = np.zeros(0)
    for layer in model.layers:
        if type(layer).__name__ in {"Conv2D", "DepthwiseConv2D"}:
            name = next(names)
            layer.set_weights([found[f"{name}/w"].transpose(1, 2, 3, 0)])
            bias = found[f"{name}/b"]
        elif type(layer).__name__ == "BatchNormalization":
            one = np.ones_like(bias)
            layer.set_weights([one, bias, 0 * one, one - layer.epsilon])
