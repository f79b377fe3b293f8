"""What the heads may see of a picture: numbers in groups, each of one kind and of fixed length.

Groups that end in `half` look at the picture at half size, where a whole trunk costs little: what kind of scene it is
(a night, a lit room, a white table) decides whether dark or bright is a defect. Only Keras operations, so that the
same network trains on any backend and converts to LiteRT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from culld.errors import ConfigError
from culld.records.frame import HEIGHT, WIDTH
from culld.training.backbones import backbone_named, build_backbone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

FULL_GROUPS = ("mean", "deviation", "peak")
"""Statistics of the trunk's early levels at full size: mean, standard deviation and strongest tile of each channel."""
HALF_GROUPS = ("grain half", "early half", "middle half", "scene half")
"""At half size: means and deviations of the first two early levels, those of the other early levels, means of a late
level, and means of the last one."""
GROUPS = (*FULL_GROUPS, *HALF_GROUPS, "light")
"""All groups; `light` holds histograms of brightness and colour."""

_LEAST = 1e-4  # variances below it are rounding: single precision knows E[x^2] of a ReLU6 to some 1e-6
_TILES = (6, 8)
_BINS = 32
_LATE = {"mobilenetv2": ("block_13_expand_relu", "out_relu")}
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
_LIGHT_TILES = (12, 16)


def build_groups(trunk: str, weights: Path | str | None, groups: Sequence[str]) -> Any:
    """The Keras model from pixels 0..255 (n, 384, 512, 3) to one vector for each of these groups, in this order.

    Raises `ConfigError` for a group that is unknown, or that this trunk cannot give.
    """
    import keras

    pixels = keras.Input((HEIGHT, WIDTH, 3), name="pixels")
    if unknown := [group for group in groups if group not in GROUPS]:
        raise ConfigError((f"sees: {', '.join(unknown)}: a group is one of {', '.join(GROUPS)}",))
    makers = _full(trunk, weights, pixels) if any(group in FULL_GROUPS for group in groups) else {}
    half = keras.layers.AveragePooling2D(2, name="half")(pixels)
    if any(group in HALF_GROUPS for group in groups):
        makers |= _half(trunk, weights, half)
    makers["light"] = lambda: _light(half)
    model = keras.Model(pixels, [makers[group]() for group in groups], name="features")
    model.trainable = False
    return model


def _full(trunk: str, weights: Path | str | None, pixels: Any) -> dict[str, Callable[[], Any]]:
    levels = _levels("full", trunk, weights, pixels, backbone_named(trunk).stages)
    return {
        "mean": lambda: _joined([mean(level) for level in levels]),
        "deviation": lambda: _joined([deviation(level) for level in levels]),
        "peak": lambda: _joined([_peak(level) for level in levels]),
    }


def _half(trunk: str, weights: Path | str | None, half: Any) -> dict[str, Callable[[], Any]]:
    if trunk not in _LATE:
        raise ConfigError((f"sees: the trunk {trunk} has no groups at half size; {', '.join(_LATE)} has",))
    *early, late, last = _levels("half", trunk, weights, half, (*backbone_named(trunk).stages, *_LATE[trunk]))
    return {
        "grain half": lambda: _spread(early[:2]),
        "early half": lambda: _spread(early[2:]),
        "middle half": lambda: mean(late),
        "scene half": lambda: mean(last),
    }


def _levels(name: str, trunk: str, weights: Path | str | None, pixels: Any, layers: Sequence[str]) -> list[Any]:
    """The outputs of these layers of a trunk that looks at these pixels; nothing behind the last one is kept."""
    import keras

    model = build_backbone(trunk, tuple(pixels.shape[1:]), weights)
    levels = keras.Model(model.input, [model.get_layer(layer).output for layer in layers], name=f"trunk_{name}")
    return list(levels(pixels))


def _joined(parts: Sequence[Any]) -> Any:
    import keras

    return keras.ops.concatenate(list(parts), axis=1)


def _spread(levels: Sequence[Any]) -> Any:
    return _joined([part(level) for level in levels for part in (mean, deviation)])


def mean(level: Any) -> Any:
    """The mean of each channel (n, channels).

    Row by row: LiteRT adds one value after the other in single precision, and over 50,000 nearly equal ones that alone
    is wrong by a thousandth.
    """
    import keras

    return keras.ops.mean(keras.ops.mean(level, axis=2), axis=1)


def deviation(level: Any) -> Any:
    """The root of E[x^2] - E[x]^2: values are small, so single precision is enough, and one pass is cheap."""
    import keras

    square = mean(keras.ops.square(level))
    return keras.ops.sqrt(keras.ops.maximum(square - keras.ops.square(mean(level)), _LEAST))


def _peak(level: Any) -> Any:
    """The strongest of 6x8 tiles of each channel: one sharp eye tells a portrait from a missed focus."""
    import keras

    size = tuple(side // tiles for side, tiles in zip(level.shape[1:3], _TILES, strict=True))
    return keras.ops.max(keras.ops.average_pool(level, size, size), axis=(1, 2))


def _light(half: Any) -> Any:
    """Brightness as a histogram and its running sum, burnt, black and coloured shares, and brightness by tiles."""
    import keras

    ops = keras.ops
    colour = half / 255.0
    bright = ops.sum(colour * _LUMA, axis=-1, keepdims=True)
    most, least = ops.max(colour, axis=-1, keepdims=True), ops.min(colour, axis=-1, keepdims=True)
    shares = [
        _above(least, 0.98),
        _above(least, 0.9),
        _above(most, 0.98),
        _above(1 - most, 0.97),
        _above(1 - most, 0.9),
        mean(bright),
        mean(most - least),
        deviation(most - least),
    ]
    bins = _histogram(bright)
    return _joined([bins, ops.cumsum(bins, axis=1), *shares, *_by_tiles(bright)])


def _histogram(bright: Any) -> Any:
    """Soft bins: a value between two centres counts for both, in proportion."""
    import keras

    centres = np.linspace(0, 1, _BINS, dtype=np.float32)
    sparse = bright[:, ::2, ::2, :]
    return mean(keras.ops.relu(1.0 - keras.ops.abs(sparse - centres) * (_BINS - 1.0)))


def _above(values: Any, limit: float) -> Any:
    """The share of values above a limit, counted softly over the last fiftieth."""
    import keras

    return mean(keras.ops.clip((values - (limit - 0.02)) * 50.0, 0.0, 1.0))


def _by_tiles(bright: Any) -> tuple[Any, Any, Any]:
    """Sorted brightness of the tiles, sorted deviation of the tiles, and the middle of the picture."""
    import keras

    ops = keras.ops
    size = tuple(side // tiles for side, tiles in zip(bright.shape[1:3], _LIGHT_TILES, strict=True))
    tiles = ops.average_pool(bright, size, size)
    spread = ops.sqrt(ops.maximum(ops.average_pool(ops.square(bright), size, size) - ops.square(tiles), _LEAST))
    count = _LIGHT_TILES[0] * _LIGHT_TILES[1]
    ranked = [ops.sort(ops.reshape(part, (-1, count)), axis=1)[:, ::4] for part in (tiles, spread)]
    middle = ops.mean(tiles[:, 3:9, 4:12, :], axis=(1, 2))
    return ranked[0], ranked[1], middle
