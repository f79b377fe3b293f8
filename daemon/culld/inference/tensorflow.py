"""Networks on a GPU; the only module outside of training that imports TensorFlow, when a network is opened."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.errors import SystemFaultError
from culld.inference.card import KERAS_FILE
from culld.inference.network import ArraySpec, Signature, example_count, match_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.inference.network import Arrays

    Call = Callable[[Sequence[NDArray[Any]]], Sequence[Any]]
    """A traced model: a function from the inputs to the outputs, both in the order of the model."""

log = logging.getLogger(__name__)

MAX_PROBABILITY_DIFFERENCE: Final = 1e-2
"""The maximum difference of a probability between half and single precision."""
_MAX_BATCH_ON_GPU: Final = 64
"""The maximum batch: larger ones need more memory, and take longer than the workers need for the next one."""
_MAX_BATCH_ON_CPU: Final = 4
"""The maximum batch without a GPU, where larger ones need more memory and are not faster."""
_FLOAT16_LAYERS: Final = frozenset({"Conv2D", "DepthwiseConv2D"})
"""The layers that take most of the time; the others stay in single precision."""


class TensorFlowNetwork:
    """A `Network` from the Keras model of a folder, for batches of examples.

    A batch is padded to a power of two or to `largest`, so that few sizes are traced. `largest` is halved whenever the
    GPU has no memory for it. Convolutions run in half precision on a GPU if that changes no output for some synthetic
    frames by more than `MAX_PROBABILITY_DIFFERENCE`.
    """

    def __init__(self, folder: Path, wanted: Signature | None = None, largest: int | None = None) -> None:
        """Load `model.keras`, for batches of `largest` examples at most.

        With `wanted` its arrays get those names, and the inputs are cast from those types to the model's. Raises
        SystemFaultError if TensorFlow or the model cannot be loaded, or if the arrays are not those `wanted`.
        """
        tf, gpus = _open_tensorflow()
        file = folder / KERAS_FILE
        model = _load(file)
        self.device = gpus[0].name if gpus else "CPU"
        limit = _MAX_BATCH_ON_GPU if gpus else _MAX_BATCH_ON_CPU
        self.largest = min(largest or limit, limit)
        self._exhausted = tf.errors.ResourceExhaustedError
        found = _signature_of(model)
        self.signature = wanted or found
        sources = match_names(self.signature.inputs, found.inputs, f"{file}: the model takes", any_type=True)
        targets = match_names(self.signature.outputs, found.outputs, f"{file}: the model gives")
        self._inputs = sorted(sources, key=lambda name: list(found.inputs).index(sources[name]))
        self._outputs = sorted(targets, key=lambda name: list(found.outputs).index(targets[name]))
        self._call = _traced(model)
        self.precision = "float32"
        if gpus and all(spec.dtype == "uint8" and len(spec.shape) == 3 for spec in self.signature.inputs.values()):
            self._try_float16(model)
        self._warm_up()

    def run(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """Return the outputs for the inputs of n examples.

        Raises ValueError for arrays of another shape or type than those of the signature, and SystemFaultError if the
        GPU has no memory even for one example.
        """
        count, done = example_count(self.signature.inputs, arrays), 0
        rows: list[Sequence[NDArray[Any]]] = []
        while done < count:
            part = [arrays[name][done : done + self.largest] for name in self._inputs]
            try:
                rows.append(self._run(part))
            except self._exhausted as error:
                if self.largest == 1:
                    raise SystemFaultError("the GPU has no memory for a single photo") from error
                self.largest //= 2
                log.warning("the GPU has no memory for %d photos at once; going on with %d", len(part[0]), self.largest)
            else:
                done += len(part[0])
        columns = [parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in zip(*rows, strict=True)]
        return dict(zip(self._outputs, columns, strict=True))

    def _run(self, arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        count = len(arrays[0])
        size = min(self.largest, 1 << (count - 1).bit_length())
        return [rows.numpy()[:count] for rows in self._call([_padded(array, size) for array in arrays])]

    def _warm_up(self) -> None:
        """Trace each batch size in advance, so that no photo waits for it."""
        powers = [1 << exponent for exponent in range(self.largest.bit_length())]
        for size in sorted({*powers, self.largest}):
            if size <= self.largest:  # `run` may have halved it
                inputs = self.signature.inputs.items()
                self.run({name: np.zeros((size, *spec.shape), spec.dtype) for name, spec in inputs})

    def _try_float16(self, model: Any) -> None:
        """Change to half precision, unless an output differs by more than `MAX_PROBABILITY_DIFFERENCE`."""
        half = _traced(check_half_precision(model))
        examples = [_synthetic_frames(self.signature.inputs[name].shape) for name in self._inputs]
        pairs = zip(half(examples), self._call(examples), strict=True)
        difference = max(float(np.abs(left.numpy() - right.numpy()).max()) for left, right in pairs)
        if difference <= MAX_PROBABILITY_DIFFERENCE:
            self._call, self.precision = half, "mixed_float16"
        else:
            log.info("half precision changes a probability by %.4f; the GPU computes in single precision", difference)


def _open_tensorflow() -> tuple[Any, list[Any]]:
    """Import TensorFlow; return it and its GPUs. Raises SystemFaultError if it cannot be loaded."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # otherwise it logs many lines about missing GPUs
    try:
        import tensorflow as tf
    except ImportError as error:
        raise SystemFaultError(f"TensorFlow cannot be loaded: {error}") from error
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, enable=True)  # otherwise it allocates all memory of the GPU
    return tf, gpus


def _load(file: Path) -> Any:
    """Return the Keras model in a file; raises SystemFaultError if it cannot be loaded."""
    try:
        import keras

        return keras.models.load_model(file)
    except ImportError as error:
        raise SystemFaultError(f"Keras cannot be loaded: {error}") from error
    except (OSError, ValueError) as error:
        raise SystemFaultError(f"{file}: no Keras model can be loaded there ({error})") from error


def _signature_of(model: Any) -> Signature:
    """Return the signature of a Keras model, by the names of its input and output layers."""
    inputs = {each.name: ArraySpec(tuple(each.shape[1:]), each.dtype) for each in model.inputs}
    outputs = zip(model.output_names, model.outputs, strict=True)
    return Signature(inputs, {name: ArraySpec(tuple(each.shape[1:]), each.dtype) for name, each in outputs})


def _padded(array: NDArray[Any], size: int) -> NDArray[Any]:
    """Return the array padded with zeros to `size` examples; the array itself if it has as many."""
    if len(array) == size:
        return array
    padded = np.zeros((size, *array.shape[1:]), array.dtype)
    padded[: len(array)] = array
    return padded


def check_half_precision(model: Any) -> Any:
    """Return a copy of a Keras model with its convolutions in float16 and its weights in float32."""
    import keras

    half = keras.Model.from_config(_with_fp16_policy(model.get_config()))
    half.set_weights(model.get_weights())
    return half


def _with_fp16_policy(config: Any) -> Any:
    """Return a Keras configuration with the policy mixed_float16 for the layers of `_FLOAT16_LAYERS`, at any depth."""
    if isinstance(config, list | tuple):
        return type(config)(map(_with_fp16_policy, config))
    if not isinstance(config, dict):
        return config
    inner = {key: _with_fp16_policy(value) for key, value in config.items()}
    if config.get("class_name") in _FLOAT16_LAYERS:
        policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}
        inner["config"] = inner["config"] | {"dtype": policy | {"registered_name": None}}
    return inner


def _traced(model: Any) -> Call:
    import keras
    import tensorflow as tf

    types = [each.dtype for each in model.inputs]

    def call(arrays: Sequence[Any]) -> list[Any]:
        cast = [tf.cast(array, type_) for array, type_ in zip(arrays, types, strict=True)]
        outputs: list[Any] = keras.tree.flatten(model(cast if len(cast) > 1 else cast[0], training=False))
        return outputs

    traced: Call = tf.function(call)
    return traced


def _synthetic_frames(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return nine synthetic frames: coarse, medium and fine blocks, each dark, normal and bright."""
    rng = np.random.default_rng(5)
    height, width, _ = shape
    scenes = [_texture(rng, height, width, coarse) for coarse in (64, 16, 4)]
    frames = [np.clip(scene * light, 0, 1) for scene in scenes for light in (0.1, 1, 3)]
    return (np.stack(frames) * 255).astype(np.uint8)


def _texture(rng: np.random.Generator, height: int, width: int, coarse: int) -> NDArray[np.float64]:
    tiles = rng.random((height // coarse + 1, width // coarse + 1, 3))
    blocks = np.repeat(np.repeat(tiles, coarse, 0), coarse, 1)[:height, :width]
    grain = rng.normal(0, 0.03, (height, width, 1))
    return np.asarray(0.1 + 0.8 * blocks + grain)
