"""The network: an early MobileNetV2 trunk, statistics of its feature levels, and one head per defect.

Blur and exposure show in the first layers of a network that knows pictures; deeper ones only learn the scene. The
heads are those of the seed's second generation. Keras is imported here, and only when a network is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

HEIGHT, WIDTH = 384, 512
LEVELS = ("Conv1_relu", "block_1_expand_relu", "block_3_expand_relu", "block_6_expand_relu")
"""The trunk's layers that are looked at; it is cut after the last one."""

GROUPS = ("mean", "deviation", "peak", "light")
"""What the heads may see: mean and standard deviation of each channel, the strongest tile of each channel, and a
histogram of brightness."""

_CHANNELS = (32, 96, 144, 192)
_PEAK_LEVELS = (0, 1, 2)
_PEAK_TILES = (6, 8)
_BINS = 16
_LIGHT_TILES = (6, 8)
SIZES = {
    "mean": sum(_CHANNELS),
    "deviation": sum(_CHANNELS),
    "peak": sum(_CHANNELS[level] for level in _PEAK_LEVELS),
    "light": _BINS + 2 + _LIGHT_TILES[0] * _LIGHT_TILES[1],
}
"""How many numbers each group has."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the heads' logits become the logits of probabilities: `logit * scale + offset`, per head."""

    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)


def columns(groups: Sequence[str]) -> NDArray[np.intp]:
    """Where these groups' numbers stand among those of all groups; raises `ConfigError` for an unknown group."""
    starts = dict(zip(GROUPS, np.cumsum([0, *SIZES.values()]), strict=False))
    try:
        return np.concatenate([np.arange(SIZES[group]) + starts[group] for group in groups])
    except KeyError as error:
        raise ConfigError((f"pooling: {error} is not one of {', '.join(GROUPS)}",)) from error


def build_features(weights: Path | None, groups: Sequence[str] = GROUPS) -> Any:
    """The Keras model from pixels 0..255 (n, 384, 512, 3) to the numbers of these groups.

    `weights` is an `.npz` of MobileNetV2 with batch norm folded; None starts at random.
    """
    import keras

    pixels = keras.Input((HEIGHT, WIDTH, 3), name="pixels")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1, name="scaled")(pixels)
    trunk = keras.applications.MobileNetV2(include_top=False, weights=None, input_tensor=scaled)
    if weights is not None:
        _load(trunk, weights)
    levels = [trunk.get_layer(name).output for name in LEVELS]
    makers: dict[str, Callable[[], list[Any]]] = {
        "mean": lambda: _means(levels),
        "deviation": lambda: _deviations(levels),
        "peak": lambda: _peaks(levels),
        "light": lambda: [_light(pixels)],
    }
    parts = [part for group in groups for part in makers[group]()]
    model = keras.Model(pixels, keras.ops.concatenate(parts, axis=1), name="features")
    model.trainable = False
    return model


def build_heads(mean: NDArray[np.float32], variance: NDArray[np.float32]) -> Any:
    """The Keras model from features to three logits; `mean` and `variance` of the training features norm the input."""
    import keras

    features = keras.Input((mean.shape[0],), name="features")
    normed = keras.layers.Normalization(mean=mean, variance=variance, name="normed")(features)
    logits = [_blur_head(normed), _exposure_head("under", normed), _exposure_head("over", normed)]
    return keras.Model(features, keras.layers.Concatenate(name="logits")(logits), name="heads")


def assemble(features: Any, heads: Any, calibration: Calibration) -> Any:
    """The whole Keras model: pixels 0..255 in, calibrated probabilities [blur, under, over] out."""
    import keras

    pixels = keras.Input((HEIGHT, WIDTH, 3), name="pixels")
    logits = heads(features(pixels))
    scaled = keras.layers.Rescaling(list(calibration.scale), offset=list(calibration.offset), name="calibrated")(logits)
    return keras.Model(pixels, keras.layers.Activation("sigmoid", name="probabilities")(scaled), name="defects")


def _blur_head(normed: Any) -> Any:
    """64-32-16-1: blur hides in fine detail and needs more room."""
    from keras.layers import Dense, Dropout

    inner = Dropout(0.15)(Dense(64, "relu", name="blur_1")(normed))
    inner = Dense(16, "relu", name="blur_3")(Dense(32, "relu", name="blur_2")(inner))
    return Dense(1, name="logit_blur")(inner)


def _exposure_head(name: str, normed: Any) -> Any:
    """32-16-1."""
    from keras.layers import Dense, Dropout

    inner = Dropout(0.1)(Dense(32, "relu", name=f"{name}_1")(normed))
    return Dense(1, name=f"logit_{name}")(Dense(16, "relu", name=f"{name}_2")(inner))


def _means(levels: Sequence[Any]) -> list[Any]:
    import keras

    return [keras.ops.mean(level, axis=(1, 2)) for level in levels]


def _deviations(levels: Sequence[Any]) -> list[Any]:
    """The root of E[x^2] - E[x]^2: values are 0..6, so single precision is enough, and one pass is cheap."""
    import keras

    found = []
    for level in levels:
        square = keras.ops.mean(keras.ops.square(level), axis=(1, 2))
        found.append(
            keras.ops.sqrt(keras.ops.maximum(square - keras.ops.square(keras.ops.mean(level, axis=(1, 2))), 1e-6))
        )
    return found


def _peaks(levels: Sequence[Any]) -> list[Any]:
    """The strongest tile of each channel: one sharp eye tells a portrait from a missed focus."""
    import keras

    found = []
    for index in _PEAK_LEVELS:
        size = tuple(side // tiles for side, tiles in zip(levels[index].shape[1:3], _PEAK_TILES, strict=True))
        found.append(keras.ops.max(keras.ops.average_pool(levels[index], size, size), axis=(1, 2)))
    return found


def _light(pixels: Any) -> Any:
    """A soft histogram of brightness, the burnt and the black share, and the sorted brightness of the tiles."""
    import keras

    ops = keras.ops
    sparse = pixels[:, ::2, ::2, :] / 255.0
    bright = ops.sum(sparse * np.array([0.2126, 0.7152, 0.0722], np.float32), axis=-1, keepdims=True)
    centres = np.linspace(0, 1, _BINS, dtype=np.float32)
    bins = ops.mean(ops.relu(1.0 - ops.abs(bright - centres) * (_BINS - 1.0)), axis=(1, 2))
    burnt = ops.mean(ops.relu(ops.min(sparse, axis=-1, keepdims=True) - 0.95) * 20.0, axis=(1, 2))
    black = ops.mean(ops.relu(0.05 - ops.max(sparse, axis=-1, keepdims=True)) * 20.0, axis=(1, 2))
    size = (HEIGHT // 2 // _LIGHT_TILES[0], WIDTH // 2 // _LIGHT_TILES[1])
    tiles = ops.reshape(ops.average_pool(bright, size, size), (-1, _LIGHT_TILES[0] * _LIGHT_TILES[1]))
    return ops.concatenate([bins, burnt, black, ops.sort(tiles, axis=1)], axis=1)


def _load(trunk: Any, weights: Path) -> None:
    """Set folded convolution weights (`NN_name/w`, `NN_name/b`, in network order) as far as the trunk goes."""
    try:
        found = np.load(weights)
    except (OSError, ValueError) as error:
        raise ConfigError((f"{weights}: no weights can be read there: {error}",)) from error
    names = iter(sorted({key.split("/")[0] for key in found}))
    bias = np.zeros(0)
    for layer in trunk.layers:
        if type(layer).__name__ in {"Conv2D", "DepthwiseConv2D"}:
            name = next(names)
            layer.set_weights([found[f"{name}/w"].transpose(1, 2, 3, 0)])
            bias = found[f"{name}/b"]
        elif type(layer).__name__ == "BatchNormalization":
            one = np.ones_like(bias)
            layer.set_weights([one, bias, 0 * one, one - layer.epsilon])
