"""Conversion of a Keras model to LiteRT for one frame at a time, with preprocessing and probabilities inside.

Weights are stored in half precision. They are rounded before the heads are trained and calibrated, so the smaller file
has the same outputs. Biases and norms stay in single precision.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.errors import ConfigError, SystemFaultError
from culld.records.frame import HEIGHT, WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

KERAS_FILE, LITERT_FILE = "model.keras", "model.tflite"
PRECISIONS = ("float32", "float16")
MAX_PROBABILITY_DIFFERENCE = 1e-3
"""How far a probability may differ between the two files."""


def write_litert(model: Any, path: Path, precision: str = "float32", size: tuple[int, int] = (WIDTH, HEIGHT)) -> str:
    """Convert a Keras model of pixels 0..255 to LiteRT that takes uint8 (1, height, width, 3).

    `size` is (width, height). `precision`: float32, or float16 for kernels of half the size. Returns the SHA-256 of
    the file in hex. Raises `ConfigError` for another precision.
    """
    import keras

    pixels = keras.Input(batch_shape=(1, size[1], size[0], 3), dtype="uint8", name="frame")
    return convert(keras.Model(pixels, model(keras.ops.cast(pixels, "float32"))), path, precision)


def convert(whole: Any, path: Path, precision: str) -> str:
    """Convert a Keras model with the inputs and outputs of the file; see `write_litert` for the rest."""
    import tensorflow as tf

    if precision not in PRECISIONS:
        raise ConfigError((f"precision: {precision!r} is not one of {', '.join(PRECISIONS)}",))
    with contextlib.redirect_stdout(io.StringIO()):  # Keras prints every variable it exports
        content: bytes = tf.lite.TFLiteConverter.from_keras_model(whole).convert()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if precision == "float16":
        store_float16(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_keras(folder: Path) -> Any:
    """The Keras model of a model folder; raises `SystemFaultError` if there is none."""
    import keras

    try:
        return keras.models.load_model(folder / KERAS_FILE)
    except (OSError, ValueError) as error:
        raise SystemFaultError(f"{folder / KERAS_FILE}: no Keras model can be loaded there ({error})") from error


def parity(
    model: Any, run: Callable[[NDArray[np.uint8]], NDArray[np.float32]], frames: Sequence[NDArray[np.uint8]]
) -> float:
    """The largest difference between both models' probabilities; raises `SystemFaultError` above `PARITY`."""
    wanted = model.predict(np.stack(frames).astype(np.float32), batch_size=8, verbose=0)
    worst = float(np.abs(wanted - np.stack([run(frame) for frame in frames])).max())
    if worst > MAX_PROBABILITY_DIFFERENCE:
        raise SystemFaultError(
            f"the LiteRT file differs from the Keras model by {worst:.4f} (limit {MAX_PROBABILITY_DIFFERENCE})"
        )
    return worst


_ROUNDED = {"Conv2D", "DepthwiseConv2D", "Dense"}
_STORED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def round_kernels(model: Any) -> Any:
    """The same Keras model with its kernels, in place, rounded to the next half-precision numbers."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            round_kernels(layer)
        elif type(layer).__name__ in _ROUNDED:
            kernel, *rest = layer.get_weights()
            layer.set_weights([kernel.astype(np.float16).astype(np.float32), *rest])
    return model


def store_float16(path: Path) -> None:
    """Store the kernels of a LiteRT file as float16; they are still computed with in single precision."""
    from ai_edge_quantizer import algorithm_manager, qtyping, quantizer

    kernel = qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)
    stored = qtyping.OpQuantizationConfig(
        weight_tensor_config=kernel, compute_precision=qtyping.ComputePrecision.FLOAT, explicit_dequantize=True
    )
    casting = algorithm_manager.AlgorithmName.FLOAT_CASTING
    work = quantizer.Quantizer(str(path))
    for name in _STORED:
        work.update_quantization_recipe(".*", qtyping.TFLOperationName[name], stored, casting)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):  # it logs every step
        content = bytes(work.quantize().quantized_model)
    path.write_bytes(content)
