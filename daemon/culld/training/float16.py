"""Weights in half precision: a file of half the size with the same outputs.

A weight that already is a half-precision number loses nothing when it is stored as one, so the weights are rounded
before the heads are trained and calibrated on the features of the rounded backbone. Biases and norms stay in single
precision: rounding those as well moves probabilities by up to 0.06.
"""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

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
