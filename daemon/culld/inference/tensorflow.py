"""The network at work on a GPU; the only module besides training that imports TensorFlow, and only when it is built."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.errors import SystemFaultError
from culld.inference.card import KERAS_FILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

log = logging.getLogger(__name__)

MAX_PROBABILITY_DIFFERENCE: Final = 1e-2
"""How far a probability may move by half precision."""
_MOST_ON_GPU: Final = 64
_MOST_ON_CPU: Final = 4
"""Without a GPU larger batches only take memory."""
_HALVED: Final = frozenset({"Conv2D", "DepthwiseConv2D"})
"""The layers that cost the time; what is summed up over a picture stays in single precision."""


class TensorFlowNetwork:
    """The model of a folder for batches of frames.

    Batches are filled up to one of few shapes, each of which is traced once: powers of two up to `largest`, which is
    halved whenever the GPU has no memory for it. Convolutions run in half precision on a GPU if that moves no
    probability of a few drawn frames by more than `PARITY`.
    """

    def __init__(self, folder: Path, largest: int | None = None) -> None:
        """Load `model.keras`; raises SystemFaultError if TensorFlow or the model cannot be used."""
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # it tells a screenful about missing GPUs
        try:
            import keras
            import tensorflow as tf
        except ImportError as error:
            raise SystemFaultError(f"TensorFlow cannot be loaded: {error}") from error
        gpus = tf.config.list_physical_devices("GPU")
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, enable=True)  # else it takes all memory there is
        try:
            model = keras.models.load_model(folder / KERAS_FILE)
        except (OSError, ValueError) as error:
            raise SystemFaultError(f"{folder / KERAS_FILE}: no Keras model can be loaded there ({error})") from error
        self.device = gpus[0].name if gpus else "CPU"
        self.largest = largest or (_MOST_ON_GPU if gpus else _MOST_ON_CPU)
        self._exhausted = tf.errors.ResourceExhaustedError
        self._call = _traced(model)
        self.shape = tuple(int(side) for side in model.input_shape[1:])
        self.precision = "float32"
        if gpus:
            self._try_float16(model)
        self._warm_up()

    def run(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A row of probabilities for each frame: uint8 (n, height, width, 3) to float32 (n, 3).

        Raises SystemFaultError if the GPU has no memory even for one.
        """
        rows: list[NDArray[np.float32]] = []
        done = 0
        while done < len(frames):
            part = frames[done : done + self.largest]
            try:
                rows.append(self._run(part))
            except self._exhausted as error:
                if self.largest == 1:
                    raise SystemFaultError("the GPU has no memory for a single photo") from error
                self.largest //= 2
                log.warning("the GPU has no memory for %d photos at once; going on with %d", len(part), self.largest)
            else:
                done += len(part)
        return np.concatenate(rows)

    def _run(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        size = min(self.largest, 1 << (len(frames) - 1).bit_length())
        filled = np.zeros((size, *self.shape), np.uint8)
        filled[: len(frames)] = frames
        row: NDArray[np.float32] = self._call(filled).numpy()[: len(frames)]
        return row

    def _warm_up(self) -> None:
        size = 1
        while size <= self.largest:
            self.run(np.zeros((size, *self.shape), np.uint8))
            size *= 2

    def _try_float16(self, model: Any) -> None:
        """Go over to half precision, unless it moves a probability too far."""
        half = check_half_precision(model)
        frames = _synthetic_frames(self.shape)
        moved = float(np.abs(_traced(half)(frames).numpy() - self._call(frames).numpy()).max())
        if moved <= MAX_PROBABILITY_DIFFERENCE:
            self._call, self.precision = _traced(half), "mixed_float16"
        else:
            log.info("half precision would move a probability by %.4f; the GPU computes in single precision", moved)


def check_half_precision(model: Any) -> Any:
    """The same Keras model with its convolutions in float16, their weights kept in float32."""
    import keras

    half = keras.Model.from_config(_with_fp16_policy(model.get_config()))
    half.set_weights(model.get_weights())
    return half


def _with_fp16_policy(config: Any) -> Any:
    """A model's configuration with another policy for the layers that cost the time, at any depth."""
    if isinstance(config, list | tuple):
        return type(config)(map(_with_fp16_policy, config))
    if not isinstance(config, dict):
        return config
    inner = {key: _with_fp16_policy(value) for key, value in config.items()}
    if config.get("class_name") in _HALVED:
        policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}
        inner["config"] = inner["config"] | {"dtype": policy | {"registered_name": None}}
    return inner


def _traced(model: Any) -> Callable[[NDArray[np.uint8]], Any]:
    import tensorflow as tf

    def call(pixels: Any) -> Any:
        return model(tf.cast(pixels, tf.float32), training=False)

    traced: Callable[[NDArray[np.uint8]], Any] = tf.function(call)
    return traced


def _synthetic_frames(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Frames that look a little like photographs: coarse and fine texture, sharp and soft, dark, even and bright."""
    dice = np.random.default_rng(5)
    height, width, _ = shape
    scenes = [_texture(dice, height, width, coarse) for coarse in (64, 16, 4)]
    lit = [np.clip(scene * light, 0, 1) for scene in scenes for light in (0.1, 1, 3)]
    return (np.stack(lit) * 255).astype(np.uint8)


def _texture(dice: np.random.Generator, height: int, width: int, coarse: int) -> NDArray[np.float64]:
    tiles = dice.random((height // coarse + 1, width // coarse + 1, 3))
    blocks = np.repeat(np.repeat(tiles, coarse, 0), coarse, 1)[:height, :width]
    grain = dice.normal(0, 0.03, (height, width, 1))
    return np.asarray(0.1 + 0.8 * blocks + grain)
