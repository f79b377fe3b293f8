"""The network of the GPU process, with TensorFlow on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from culld.errors import SystemFaultError
from culld.inference.network import ArraySpec, Signature
from culld.inference.tensorflow import (
    MAX_PROBABILITY_DIFFERENCE,
    TensorFlowNetwork,
    _synthetic_frames,
    check_half_precision,
)
from culld.stages.read.scoring import DEFECT_NETWORK

tensorflow = pytest.importorskip("tensorflow", reason="needs the extra `gpu`")
MODEL = Path(__file__).parents[2] / "models" / "defects"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(540)]


class Scarce(TensorFlowNetwork):
    """A network on a GPU with memory for two photos."""

    room = 2

    def _run(self, arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        if len(arrays[0]) > self.room:
            raise tensorflow.errors.ResourceExhaustedError(None, None, "no memory")
        return super()._run(arrays)


def rows(network: TensorFlowNetwork, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The probabilities for each frame."""
    return network.run({"frame": frames})["probabilities"]


def synthetic_frames() -> NDArray[np.uint8]:
    """Frames of the network's size."""
    return _synthetic_frames(DEFECT_NETWORK.inputs["frame"].shape)


@pytest.fixture(scope="module")
def scarce() -> Scarce:
    """That, asked for four at a time."""
    return Scarce(MODEL, DEFECT_NETWORK, largest=4)


def test_a_batch_is_halved_when_there_is_no_memory_for_it(scarce: Scarce) -> None:
    """Every photo still gets its own row."""
    frames = synthetic_frames()[:5]

    found = rows(scarce, frames)

    assert scarce.largest == 2
    assert found == pytest.approx(np.concatenate([rows(scarce, frame[None]) for frame in frames]), abs=1e-5)


def test_a_batch_is_never_larger_than_it_may_be() -> None:
    """As `batch.size` says; without a GPU four are the most."""
    assert [TensorFlowNetwork(MODEL, DEFECT_NETWORK, largest=size).largest for size in (3, 64)] == [3, 4]


def test_without_memory_for_one_photo_it_gives_up(scarce: Scarce) -> None:
    """The workers then go on with LiteRT."""
    scarce.room = 0

    with pytest.raises(SystemFaultError, match="no memory for a single photo"):
        rows(scarce, synthetic_frames()[:1])


def test_half_precision_moves_no_probability_far() -> None:
    """Convolutions alone run in it; statistics over a picture would not bear it."""
    import keras

    model = keras.models.load_model(MODEL / "model.keras")
    frames = synthetic_frames()[::3]

    half = check_half_precision(model)

    dtypes = {layer.compute_dtype for layer in half._flatten_layers() if isinstance(layer, keras.layers.Conv2D)}
    assert dtypes == {"float16"}
    assert float(np.abs(np.asarray(half(frames)) - np.asarray(model(frames))).max()) <= MAX_PROBABILITY_DIFFERENCE


def test_a_folder_without_a_keras_model_is_a_system_fault(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(SystemFaultError, match=r"model\.keras: no Keras model"):
        TensorFlowNetwork(tmp_path)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (Signature({"frame": ArraySpec((32, 32, 3), "uint8")}, DEFECT_NETWORK.outputs), r"takes .*\(384, 512, 3\)"),
        (Signature(DEFECT_NETWORK.inputs, {"masks": ArraySpec((8,), "float32")}), r"gives float32 \(3,\) as `masks`"),
    ],
)
def test_a_model_of_another_size_is_a_system_fault(wanted: Signature, reason: str) -> None:
    """The message names the model's size and the one that culld needs."""
    with pytest.raises(SystemFaultError, match=reason):
        TensorFlowNetwork(MODEL, wanted)


def test_a_network_of_several_inputs_and_outputs_is_run_by_their_names(tmp_path: Path) -> None:
    """In whichever order they are given, and named after the layers."""
    import keras

    left, right = keras.Input((2,), name="left"), keras.Input((3,), name="right")
    double = keras.layers.Rescaling(2.0, name="double")(left)
    triple = keras.layers.Rescaling(3.0, name="triple")(right)
    keras.Model([left, right], [double, triple]).save(tmp_path / "model.keras")
    network = TensorFlowNetwork(tmp_path)

    found = network.run({"right": np.full((5, 3), 2, np.float32), "left": np.ones((5, 2), np.float32)})

    assert {name: (array.shape, float(array.max())) for name, array in found.items()} == {
        "double": ((5, 2), 2.0),
        "triple": ((5, 3), 6.0),
    }
    with pytest.raises(ValueError, match="`left` is float64"):
        network.run({"right": np.ones((1, 3), np.float32), "left": np.ones((1, 2))})
