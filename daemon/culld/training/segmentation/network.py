"""The network that segments defects: a U-Net whose stem halves the resolution at once.

Noise, blocks and fine blur are seen by the stem; what follows works at half, a quarter ... and a 32nd of the
resolution. The maps are made at half and enlarged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culld.records.regions import REGION_CLASSES

if TYPE_CHECKING:
    from collections.abc import Sequence


def build_segmentation(channels: Sequence[int], side: int | None = None) -> Any:
    """Return the Keras model from pixels, float32 0..255 RGB (n, height, width, 3), to logits (n, height, width, 8).

    `channels` are those at half of the resolution and of each level below it, every one half as large as the one
    before. Height and width are multiples of 2 to the power of their number; `side` fixes both.
    """
    import keras
    from keras.layers import Conv2D, Conv2DTranspose, Rescaling, UpSampling2D

    pixels = keras.Input((side, side, 3), name="pixels")
    found = Rescaling(1 / 64, -2.0, name="scale")(pixels)
    found = _convolved(found, channels[0], "stem", size=4, strides=2)
    skips = []
    for level, width in enumerate(channels[1:], 1):
        skips.append(found)
        found = _convolved(found, width, f"down{level}", strides=2)
        found = _convolved(found, width, f"in{level}")
    for level, skip in reversed(list(enumerate(skips))):
        found = Conv2DTranspose(channels[level], 2, strides=2, use_bias=False, name=f"up{level}")(found)
        found = keras.layers.Add(name=f"join{level}")([found, skip])
        found = _convolved(found, channels[level], f"out{level}")
    logits = Conv2D(len(REGION_CLASSES), 1, name="maps")(found)
    return keras.Model(pixels, UpSampling2D(2, interpolation="bilinear", name="logits")(logits), name="segment")


def _convolved(found: Any, channels: int, name: str, size: int = 3, strides: int = 1) -> Any:
    """Add a convolution with batch norm and ReLU."""
    from keras.layers import Activation, BatchNormalization, Conv2D

    found = Conv2D(channels, size, strides=strides, padding="same", use_bias=False, name=name)(found)
    found = BatchNormalization(momentum=0.97, epsilon=1e-3, name=f"{name}_norm")(found)
    return Activation("relu", name=f"{name}_relu")(found)
