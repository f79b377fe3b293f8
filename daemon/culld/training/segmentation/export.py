"""Export of a segmentation network to LiteRT: square tiles of one side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from culld.errors import ConfigError
from culld.training.export import convert
from culld.training.segmentation.network import MAPS, build_segmentation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SIDE: Final = 384
"""The side of a tile in px: six of them cover a photo of 1024x683, with an overlap of 64."""


def write_segmentation(
    trained: Any, channels: Sequence[int], path: Path, side: int = SIDE, precision: str = "float16"
) -> str:
    """Convert to LiteRT from a tile, uint8 (1, side, side, 3), to its maps, float32 0..1 (1, side / 2, side / 2, 8).

    Returns the SHA-256 of the file in hex. Raises ConfigError for a side that the levels cannot halve.
    """
    import keras

    multiple = 2 ** len(channels)
    if side <= 0 or side % multiple:
        raise ConfigError((f"side: {side} is not a multiple of {multiple}",))
    model = build_segmentation(channels, side)
    model.set_weights(trained.get_weights())
    pixels = keras.Input(batch_shape=(1, side, side, 3), dtype="uint8", name="tile")
    logits = keras.Model(model.input, model.get_layer(MAPS).output)
    maps = keras.ops.sigmoid(logits(keras.ops.cast(pixels, "float32")))
    return convert(keras.Model(pixels, maps), path, precision)
