"""The network that segments defects: a U-Net whose stem halves the resolution at once.

Beside its learned layer the stem has fixed ones: the sizes of differences between neighbouring pixels. Noise, blocks
and blur differ by these, and a learned layer alone did not find them in 1,100 steps. What follows works at half, a
quarter ... and a 32nd of the resolution. The maps are made at half; for the loss they are enlarged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.records.regions import REGION_CLASSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MAPS: Final = "maps"
"""The layer of the logits at half of the resolution."""
_DIRECTIONS: Final = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Rows down and columns right."""
_REACHES: Final = (1, 2, 4)
"""The distances of second differences at half of the resolution."""
_PLANES: Final = ((0.299, 1.0), (0.587, -1.0), (0.114, 0.0))
"""The shares of red, green and blue in both planes: luma, and red less green."""
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
    logits = Conv2D(len(REGION_CLASSES), 1, bias_initializer=start, name=MAPS)(found)
    return keras.Model(pixels, UpSampling2D(2, interpolation="bilinear", name="logits")(logits), name="segment")


def differences(pixels: Any) -> Any:
    """Return the sizes of differences between pixels at half of the resolution, (n, height / 2, width / 2, 24).

    First and second differences of luma, and second ones of red less green, as the mean of 2x2 pixels; and second
    differences of luma at half of the resolution over 1, 2 and 4 pixels of it. Each goes in four directions, so that
    defocus, which blurs all, and motion, which blurs one, look different. A size is the root of its grey levels.
    """
    from keras import ops

    planes = ops.conv(pixels, np.asarray(_PLANES, np.float32)[None, None], padding="same")
    full = ops.absolute(ops.conv(planes, _kernels((0, 1), (0, 2), (1, 2)), padding="same"))
    half = ops.average_pool(planes, 2, 2)
    bends = [ops.conv(half, _kernels((0, 2)), padding="same", dilation_rate=reach) for reach in _REACHES]
    return ops.sqrt(ops.concatenate([ops.average_pool(full, 2, 2), *map(ops.absolute, bends)], axis=-1))


def _kernels(*wanted: tuple[int, int]) -> NDArray[np.float32]:
    """Return kernels of 3x3, (3, 3, 2, count): for each plane and order of difference, one in each direction."""
    found = []
    for plane, order in wanted:
        for down, right in _DIRECTIONS:
            kernel = np.zeros((3, 3, 2), np.float32)
            kernel[1, 1, plane] = -order
            kernel[1 + down, 1 + right, plane] = 1
            kernel[1 - down, 1 - right, plane] += order - 1
            found.append(kernel)
    return np.stack(found, axis=-1)


def _convolved(found: Any, channels: int, name: str, size: int = 3, strides: int = 1) -> Any:
    """Add a convolution with batch norm and ReLU."""
    from keras.layers import Activation, BatchNormalization, Conv2D

    found = Conv2D(channels, size, strides=strides, padding="same", use_bias=False, name=name)(found)
    found = BatchNormalization(momentum=0.97, epsilon=1e-3, name=f"{name}_norm")(found)
    return Activation("relu", name=f"{name}_relu")(found)
