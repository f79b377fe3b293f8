"""Feature groups: the inputs of the heads, each group a vector of fixed length.

Groups that end in `half` or `quarter` are computed from the picture at half or quarter size, where a whole backbone
costs a fourth or a sixteenth: the kind of scene (a night, a lit room, a white table) decides whether dark or bright is
a defect. Only Keras operations are used, so that the same network trains on any backend and converts to LiteRT.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.errors import ConfigError
from culld.records.frame import HEIGHT, WIDTH
from culld.training.backbones import LEAST_VARIANCE, backbone_named, build_backbone, deviation, mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

FULL_GROUPS = ("mean", "deviation", "peak")
"""Statistics of each channel of the early stages at full size: mean, standard deviation and strongest tile."""
HALF_GROUPS = ("stem_half", "early_half", "middle_half", "late_half")
"""At half size: means and deviations of the first two early stages, those of the other early stages, means of a late
layer, and means of the last one."""
QUARTER_GROUPS = ("stem_quarter", "early_quarter", "middle_quarter", "late_quarter")
"""The same at quarter size."""
GROUPS = (*FULL_GROUPS, *HALF_GROUPS, *QUARTER_GROUPS, "light", "grid")
"""All groups; `light` holds histograms of brightness and colour, `grid` says where it is bright, burnt, black, flat."""

_TILES = (6, 8)
_BINS = 32
_LATE = {"mobilenetv2": ("block_13_expand_relu", "out_relu")}
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
_LIGHT_TILES = (12, 16)


def build_groups(backbone: str, weights: Path | str | None, groups: Sequence[str]) -> Any:
    """Return the Keras model from pixels 0..255 (n, 384, 512, 3) to one vector for each of these groups, in this order.

    Raises `ConfigError` for a group that is unknown, or that this backbone cannot give.
    """
    import keras

    pixels = keras.Input((HEIGHT, WIDTH, 3), name="pixels")
    if unknown := [group for group in groups if group not in GROUPS]:
        raise ConfigError((f"inputs: {', '.join(unknown)}: a group is one of {', '.join(GROUPS)}",))
    makers = _full(backbone, weights, pixels) if any(group in FULL_GROUPS for group in groups) else {}
    half = keras.layers.AveragePooling2D(2, name="half")(pixels)
    quarter = keras.layers.AveragePooling2D(2, name="quarter")(half)
    for size, names, reduced in (("half", HALF_GROUPS, half), ("quarter", QUARTER_GROUPS, quarter)):
        if wanted := [name for name in names if name in groups]:
            makers |= _reduced(backbone, weights, reduced, size, wanted)
    makers |= {"light": lambda: _light(half), "grid": lambda: _grid(half)}
    model = keras.Model(pixels, [makers[group]() for group in groups], name="features")
    model.trainable = False
    return model


def _full(backbone: str, weights: Path | str | None, pixels: Any) -> dict[str, Callable[[], Any]]:
    levels = _levels("full", backbone, weights, pixels, backbone_named(backbone).stages)
    return {
        "mean": lambda: _joined([mean(level) for level in levels]),
        "deviation": lambda: _joined([deviation(level) for level in levels]),
        "peak": lambda: _joined([_peak(level) for level in levels]),
    }


def _reduced(
    backbone: str, weights: Path | str | None, pixels: Any, size: str, wanted: Sequence[str]
) -> dict[str, Callable[[], Any]]:
    """The groups of a reduced picture; of the backbone only the layers that the `wanted` groups need."""
    if backbone not in _LATE:
        raise ConfigError((f"inputs: the backbone {backbone} has no groups at {size} size; {', '.join(_LATE)} has",))
    stages = backbone_named(backbone).stages
    layers = {"stem": stages[:2], "early": stages[2:], "middle": _LATE[backbone][:1], "late": _LATE[backbone][1:]}
    needed = {part: names for part, names in layers.items() if f"{part}_{size}" in wanted}
    levels = iter(_levels(size, backbone, weights, pixels, [name for names in needed.values() for name in names]))
    found = {part: [next(levels) for _ in names] for part, names in needed.items()}
    pool = {"stem": _spread, "early": _spread, "middle": _means, "late": _means}
    return {f"{part}_{size}": functools.partial(pool[part], outputs) for part, outputs in found.items()}


def _levels(name: str, backbone: str, weights: Path | str | None, pixels: Any, layers: Sequence[str]) -> list[Any]:
    """The outputs of these layers of a backbone for these pixels; nothing behind the last one is kept."""
    import keras

    model = build_backbone(backbone, tuple(pixels.shape[1:]), weights)
    levels = keras.Model(model.input, [model.get_layer(layer).output for layer in layers], name=f"trunk_{name}")
    return list(levels(pixels))


def _joined(parts: Sequence[Any]) -> Any:
    import keras

    return keras.ops.concatenate(list(parts), axis=1)


def _means(levels: Sequence[Any]) -> Any:
    return _joined([mean(level) for level in levels])


def _spread(levels: Sequence[Any]) -> Any:
    return _joined([part(level) for level in levels for part in (mean, deviation)])


def _peak(level: Any) -> Any:
    """The strongest of 6x8 tiles of each channel: a single sharp eye shows that a portrait is in focus."""
    import keras

    size = _tile_size(level, _TILES)
    return keras.ops.max(keras.ops.average_pool(level, size, size), axis=(1, 2))


def _tile_size(level: Any, tiles: tuple[int, int]) -> tuple[int, ...]:
    """The height and width in pixels of a tile, where a level has so many (down, across)."""
    return tuple(side // count for side, count in zip(level.shape[1:3], tiles, strict=True))


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


def _grid(half: Any) -> Any:
    """Brightness, burnt share, black share and deviation of 6x8 tiles, each tile in its place."""
    import keras

    ops = keras.ops
    colour = half / 255.0
    bright = ops.sum(colour * _LUMA, axis=-1, keepdims=True)
    burnt = ops.clip((ops.min(colour, axis=-1, keepdims=True) - 0.93) * 20.0, 0.0, 1.0)
    black = ops.clip((0.08 - ops.max(colour, axis=-1, keepdims=True)) * 20.0, 0.0, 1.0)
    size = _tile_size(bright, _TILES)
    planes = ops.average_pool(ops.concatenate([bright, burnt, black, ops.square(bright)], axis=-1), size, size)
    variance = planes[..., 3:] - ops.square(planes[..., :1])
    spread = ops.sqrt(ops.maximum(variance, LEAST_VARIANCE))
    return ops.reshape(ops.concatenate([planes[..., :3], spread], axis=-1), (-1, 4 * _TILES[0] * _TILES[1]))


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
    size = _tile_size(bright, _LIGHT_TILES)
    tiles = ops.average_pool(bright, size, size)
    spread = ops.sqrt(ops.maximum(ops.average_pool(ops.square(bright), size, size) - ops.square(tiles), LEAST_VARIANCE))
    count = _LIGHT_TILES[0] * _LIGHT_TILES[1]
    ranked = [ops.sort(ops.reshape(part, (-1, count)), axis=1)[:, ::4] for part in (tiles, spread)]
    middle = ops.mean(tiles[:, 3:9, 4:12, :], axis=(1, 2))
    return ranked[0], ranked[1], middle
