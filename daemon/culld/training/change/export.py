"""The LiteRT file of a network of change: two frames in, the probability of change out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culld.records.frame import HEIGHT, WIDTH
from culld.training.export import convert

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIZE = HEIGHT, WIDTH
"""The size of both frames of a file that ships."""


def write_change_litert(
    build: Callable[..., Any], trained: Any, path: Path, precision: str, size: tuple[int, int] = SIZE
) -> str:
    """Convert a trained Keras model to a LiteRT file for frames of this (height, width); return its SHA-256 in hex.

    `build` is the builder of the model, whose weights do not depend on the size. The file takes `first` and `second`,
    uint8 (1, height, width, 3), and gives the probability of change, float32 (1, height, width, 1). `precision` is
    float32, or float16 for kernels of half the size.
    """
    import keras

    model = build(size, None)
    model.set_weights(trained.get_weights())
    frames = [keras.Input(batch_shape=(1, *size, 3), dtype="uint8", name=name) for name in ("first", "second")]
    logits = model([keras.ops.cast(frame, "float32") for frame in frames])
    return convert(keras.Model(frames, keras.ops.sigmoid(logits)), path, precision)
