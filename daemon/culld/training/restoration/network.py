"""The network that repairs JPEG compression: residual, blind to the quality, one model for all.

It works at half of the resolution, where a block of 8 pixels has 4, and at a quarter, where a layer sees further; its
last layer starts at zero, so that an untrained network changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

MULTIPLE: Final = 4
"""Height and width of its input are multiples of this."""


def build_restoration(channels: Sequence[int], blocks: Sequence[int], side: int | None = None) -> Any:
    """Return the Keras model from pixels to repaired pixels, both float32 0..255 RGB (n, height, width, 3).

    `channels` and `blocks` are those at half and at a quarter of the resolution; `side` fixes height and width.
    """
    import keras
    from keras.layers import Add, Conv2D, Conv2DTranspose, Rescaling

    half, quarter = channels
    pixels = keras.Input((side, side, 3), name="pixels")
    scaled = Rescaling(1 / 128, -1.0, name="scale")(pixels)
    found = Conv2D(half, 3, strides=2, padding="same", activation="relu", name="stem")(scaled)
    found = _blocks(found, half, blocks[0], "down")
    deep = Conv2D(quarter, 3, strides=2, padding="same", activation="relu", name="deeper")(found)
    deep = _blocks(deep, quarter, blocks[1], "deep")
    found = Add(name="joined")([found, Conv2DTranspose(half, 2, strides=2, name="up")(deep)])
    found = _blocks(found, half, blocks[0], "up")
    change = Conv2DTranspose(3, 4, strides=2, padding="same", kernel_initializer="zeros", name="change")(found)
    return keras.Model(pixels, Add(name="repaired")([pixels, Rescaling(128.0, name="levels")(change)]), name="restore")


def _blocks(found: Any, channels: int, count: int, name: str) -> Any:
    """Add residual blocks of two convolutions each."""
    from keras.layers import Add, Conv2D

    for number in range(count):
        inner = Conv2D(channels, 3, padding="same", activation="relu", name=f"{name}{number}a")(found)
        found = Add(name=f"{name}{number}")(
            [found, Conv2D(channels, 3, padding="same", name=f"{name}{number}b")(inner)]
        )
    return found
