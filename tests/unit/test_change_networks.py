"""The networks of change: shapes, sizes, the frozen backbones, and the file that ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from culld.compare import registry
from culld.compare.model import Network
from culld.errors import ConfigError
from culld.inference.litert import LiteRtNetwork
from culld.training.change.export import write_change_litert
from culld.training.change.losses import FEATURES

pytest.importorskip("tensorflow", reason="needs TensorFlow")
pytestmark = pytest.mark.slow

NETWORKS = [entry for entry in registry.entries() if isinstance(entry, Network)]
SIZE = (64, 96)


def learned(model: Any) -> int:
    """How many parameters training changes."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.mark.parametrize("entry", NETWORKS, ids=lambda entry: entry.name)
def test_a_network_takes_two_frames_and_gives_logits_of_their_size(entry: Network) -> None:
    """With features of each frame, at most half a million parameters to learn, and a backbone that stays as it is."""
    model = entry.build(SIZE)
    backbone_learns = bool(model.get_layer("encoder").trainable_weights)

    assert [each.name for each in model.inputs] == ["first", "second"]
    assert model.output.shape == (None, *SIZE, 1)
    assert all(model.get_layer(name).output.shape[1:3] == (SIZE[0] // 16, SIZE[1] // 16) for name in FEATURES)
    assert 100_000 < learned(model) < 500_000
    assert backbone_learns == (entry.name == "fcsiam-tiny")


@pytest.mark.parametrize("name", ["fcsiam-tiny", "siamese-mobilenetv2"])
def test_equal_frames_give_the_same_logits_everywhere_inside(name: str) -> None:
    """No difference of features is left, whatever they show."""
    model = registry.entry(name).build((128, 128))
    frame = np.random.default_rng(2).uniform(0, 255, (1, 128, 128, 3)).astype(np.float32)

    logits = model.predict([frame, frame], verbose=0)[0]

    assert logits.shape == (128, 128, 1)
    assert np.ptp(logits[48:-48, 48:-48]) < 1e-4


def test_the_tiny_network_has_a_quarter_of_a_million_parameters_and_learns_them_all() -> None:
    """0.2 to 0.3 million."""
    model = registry.entry("fcsiam-tiny").build(SIZE)

    assert 200_000 < model.count_params() < 300_000
    assert model.count_params() - learned(model) < 2_000  # the statistics of batch norm


def test_weights_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    """Those of another network, say."""
    (tmp_path / "w.npz").write_bytes(b"no weights")

    with pytest.raises(ConfigError, match=r"w\.npz"):
        registry.entry("siamese-mobilenetv2").build(SIZE, tmp_path / "w.npz")


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_the_file_that_ships_answers_as_the_keras_model(tmp_path: Path, precision: str) -> None:
    """Two frames of bytes in, probabilities out; the weights fit any size."""
    import keras

    keras.utils.set_random_seed(1)
    build = registry.entry("fcsiam-tiny").build
    model = build((32, 32))
    digest = write_change_litert(build, model, tmp_path / "m.tflite", precision, SIZE)
    frames = np.random.default_rng(3).integers(0, 255, (2, 1, *SIZE, 3), dtype=np.uint8)
    whole = build(SIZE)
    whole.set_weights(model.get_weights())
    wanted = 1 / (1 + np.exp(-whole.predict(list(frames.astype(np.float32)), verbose=0)))

    found = LiteRtNetwork(tmp_path / "m.tflite").run({"first": frames[0], "second": frames[1]})

    assert len(digest) == 64
    assert np.abs(next(iter(found.values())) - wanted).max() < (1e-4 if precision == "float32" else 5e-3)
