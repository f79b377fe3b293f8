"""What a GPU would be asked to do, asked of TensorFlow on the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from culld.errors import SystemFaultError
from culld.inference.tensorflow import (
    MAX_PROBABILITY_DIFFERENCE,
    TensorFlowNetwork,
    _synthetic_frames,
    check_half_precision,
)

tensorflow = pytest.importorskip("tensorflow", reason="needs the extra `tensorflow`")
MODEL = Path(__file__).parents[2] / "models" / "defects"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(540)]


class Scarce(TensorFlowNetwork):
    """A network on a GPU with memory for two photos."""

    room = 2

    def _run(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        if len(frames) > self.room:
            raise tensorflow.errors.ResourceExhaustedError(None, None, "no memory")
        return super()._run(frames)


@pytest.fixture(scope="module")
def scarce() -> Scarce:
    """That, asked for four at a time."""
    return Scarce(MODEL, largest=4)


def test_a_batch_is_halved_when_there_is_no_memory_for_it(scarce: Scarce) -> None:
    """Every photo still gets its own row."""
    frames = _synthetic_frames(scarce.shape)[:5]

    rows = scarce.run(frames)

    assert scarce.largest == 2
    assert rows == pytest.approx(np.concatenate([scarce.run(frame[None]) for frame in frames]), abs=1e-5)


def test_without_memory_for_one_photo_it_gives_up(scarce: Scarce) -> None:
    """The workers then go on with LiteRT."""
    scarce.room = 0

    with pytest.raises(SystemFaultError, match="no memory for a single photo"):
        scarce.run(_synthetic_frames(scarce.shape)[:1])


def test_half_precision_moves_no_probability_far() -> None:
    """Convolutions alone run in it; statistics over a picture would not bear it."""
    import keras

    model = keras.models.load_model(MODEL / "model.keras")
    frames = _synthetic_frames(tuple(model.input_shape[1:]))[::3]

    half = check_half_precision(model)

    dtypes = {layer.compute_dtype for layer in half._flatten_layers() if isinstance(layer, keras.layers.Conv2D)}
    assert dtypes == {"float16"}
    assert float(np.abs(np.asarray(half(frames)) - np.asarray(model(frames))).max()) <= MAX_PROBABILITY_DIFFERENCE


def test_a_folder_without_a_keras_model_is_a_system_fault(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(SystemFaultError, match=r"model\.keras: no Keras model"):
        TensorFlowNetwork(tmp_path)
