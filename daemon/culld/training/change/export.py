"""The LiteRT file of a network of change: two frames in, the probability of change out."""

from __future__ import annotations

import contextlib
import hashlib
import io
from typing import TYPE_CHECKING, Any

from culld.records.frame import HEIGHT, WIDTH
from culld.training.export import store_float16

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
    import tensorflow as tf

    model = build(size, None)
    model.set_weights(trained.get_weights())
    frames = [keras.Input(batch_shape=(1, *size, 3), dtype="uint8", name=name) for name in ("first", "second")]
    logits = model([keras.ops.cast(frame, "float32") for frame in frames])
    whole = keras.Model(frames, keras.ops.sigmoid(logits))
    with contextlib.redirect_stdout(io.StringIO()):  # Keras prints every variable it exports
        content: bytes = tf.lite.TFLiteConverter.from_keras_model(whole).convert()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if precision == "float16":
        store_float16(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()
