"""The network that segments defects: a U-Net whose stem halves the resolution at once.

Beside its learned layer the stem has fixed ones: the sizes of differences between neighbouring pixels, as logarithms.
Noise, blocks and blur differ by these, and a learned layer alone did not find them in 1,100 steps. What follows works
at half, a quarter ... and a 32nd of the resolution. The maps are made at half and enlarged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from culld.records.regions import REGION_CLASSES

if TYPE_CHECKING:
    from collections.abc import Sequence

_REACH: Final = 4
_STEPS: Final = (1, 2, 4)
"""The distances in px of second differences."""
_LUMA: Final = (0.299, 0.587, 0.114)
_RARE: Final = -2.0
"""The logits of the maps at the start: about one pixel of eight is of a class."""


def build_segmentation(channels: Sequence[int], side: int | None = None) -> Any:
    """Return the Keras model from pixels, float32 0..255 RGB (n, height, width, 3), to logits (n, height, width, 8).

    `channels` are those at half of the resolution and of each level below it, every one half as large as the one
    before. Height and width are multiples of 2 to the power of their number; `side` fixes both.
    """
    import keras
    from keras.layers import Conv2D, Conv2DTranspose, Rescaling, UpSampling2D

    pixels = keras.Input((side, side, 3), name="pixels")
    scaled = Rescaling(1 / 64, -2.0, name="scale")(pixels)
    stem = Conv2D(channels[0], 4, strides=2, padding="same", name="stem")(scaled)
    seen = keras.layers.Concatenate(name="seen")([stem, differences(pixels)])
    found = _convolved(seen, channels[0], "mixed", size=3)
    skips = []
    for level, width in enumerate(channels[1:], 1):
        skips.append(found)
        found = _convolved(found, width, f"down{level}", strides=2)
        found = _convolved(found, width, f"in{level}")
    for level, skip in reversed(list(enumerate(skips))):
        found = Conv2DTranspose(channels[level], 2, strides=2, use_bias=False, name=f"up{level}")(found)
        found = keras.layers.Add(name=f"join{level}")([found, skip])
        found = _convolved(found, channels[level], f"out{level}")
    start = keras.initializers.Constant(_RARE)
    logits = Conv2D(len(REGION_CLASSES), 1, bias_initializer=start, name="maps")(found)
    return keras.Model(pixels, UpSampling2D(2, interpolation="bilinear", name="logits")(logits), name="segment")


def differences(pixels: Any) -> Any:
    """Return the sizes of differences between pixels at half of the resolution, (n, height / 2, width / 2, 10).

    First differences of luma, its second ones at 1, 2 and 4 px, and second ones of red less green, each across and
    down: log(1 + size) of a difference in grey levels, as the mean of 2x2 pixels.
    """
    from keras import ops

    red, green, blue = (pixels[..., channel : channel + 1] for channel in range(3))
    luma = red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2]
    around = [(0, 0), (_REACH, _REACH), (_REACH, _REACH), (0, 0)]
    padded, colour = (ops.pad(plane, around, mode="symmetric") for plane in (luma, red - green))
    found = [_moved(padded, *way) - luma for way in ((0, 1), (1, 0))]
    for step in _STEPS:
        found += [_bend(padded, luma, *way) for way in ((0, step), (step, 0))]
    found += [_bend(colour, red - green, *way) for way in ((0, 1), (1, 0))]
    sizes = ops.log(1.0 + ops.absolute(ops.concatenate(found, axis=-1)))
    return ops.average_pool(sizes, 2, 2)


def _bend(padded: Any, plane: Any, down: int, right: int) -> Any:
    """Return the second difference along a way."""
    return _moved(padded, down, right) + _moved(padded, -down, -right) - 2.0 * plane


def _moved(padded: Any, down: int, right: int) -> Any:
    """Return the plane inside of a padded one, moved by a way of at most `_REACH`."""
    rows = slice(_REACH + down, down - _REACH if down < _REACH else None)
    columns = slice(_REACH + right, right - _REACH if right < _REACH else None)
    return padded[:, rows, columns]


def _convolved(found: Any, channels: int, name: str, size: int = 3, strides: int = 1) -> Any:
    """Add a convolution with batch norm and ReLU."""
    from keras.layers import Activation, BatchNormalization, Conv2D

    found = Conv2D(channels, size, strides=strides, padding="same", use_bias=False, name=name)(found)
    found = BatchNormalization(momentum=0.97, epsilon=1e-3, name=f"{name}_norm")(found)
    return Activation("relu", name=f"{name}_relu")(found)
