"""Two-stage training of a tiny backbone: stages, input pipelines, interruption, and the JAX backend."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from culld.records import NETWORK_DEFECTS
from culld.training.dataset import Scene
from culld.training.experiment import TwoStageExperiment, load_recipe
from culld.training.two_stage.experiment import CURVES, LOG, build_two_stage, freeze, train_stages, with_probabilities
from culld.training.two_stage.input_pipelines import from_table, on_the_fly, without_tensorflow

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's own
]
TINY = TwoStageExperiment(backbone="mobilenetv3small", head_epochs=1, tune_epochs=1, batch=4)
SHAPE = (64, 96, 3)
SCENES = [Scene(f"{number}.jpg", frozenset(), "s", "CC0") for number in range(5)]


def data() -> tuple[np.ndarray, np.ndarray]:
    """Eight noisy pictures, half of them dark."""
    rng = np.random.default_rng(0)
    labels = np.array([[0, number % 2, 0] for number in range(8)], np.float32)
    return (rng.random((8, *SHAPE)) * 255 / (1 + 9 * labels[:, 1, None, None, None])).astype(np.float32), labels


def batches() -> Any:
    """The same as a pipeline."""
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(data()).batch(4)


def make(scene: Scene, draw: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two frames of a scene that hold the numbers of the scene and of the draw."""
    frames = np.full((2, 384, 512, 3), int(scene.file[0]) * 10 + draw, np.uint8)
    return frames, np.array([[0, 0, 0], [1, 0, 0]], np.float32)


@pytest.mark.parametrize("name", ["kadis-first", "kadis-second"])
def test_the_recipes_build_what_the_source_document_says(name: str, models: Path) -> None:
    """Heads, dropouts, rates and layers, read from the committed files."""
    experiment = load_recipe(models / name / "train.yaml")
    assert isinstance(experiment, TwoStageExperiment)

    model, backbone = build_two_stage(experiment, None, SHAPE)
    freeze(backbone, experiment, tuned=True)

    units = [layer.units for layer in model.layers if layer.name.startswith("blur_") and hasattr(layer, "units")]
    assert units == {"kadis-first": [16], "kadis-second": [64, 32, 16]}[name]
    assert experiment.backbone == "mobilenetv2"
    assert experiment.draws
    assert experiment.differs
    assert (experiment.head_learning_rate, experiment.dropout, experiment.batch) == (1e-3, 0.2, 16)
    assert experiment.tune_learning_rate == {"kadis-first": 1e-4, "kadis-second": 5e-5}[name]
    learning = [layer for layer in backbone.layers if layer.trainable]
    norms = [layer for layer in learning if type(layer).__name__ == "BatchNormalization"]
    if name == "kadis-first":
        assert len(learning) == len(backbone.layers)
    else:
        assert set(learning) <= set(backbone.layers[-40:])
        assert not norms


def test_a_training_leaves_log_curves_and_a_model(tmp_path: Path) -> None:
    """Two stages of one epoch are two lines; the logits become probabilities at the end."""
    model, backbone = build_two_stage(TINY, None, SHAPE)

    train_stages(model, backbone, TINY, (batches(), batches()), tmp_path / "out", tmp_path / "backup")

    with (tmp_path / "out" / LOG).open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 2
    assert {"auc", "val_auc", *(f"val_bce_{defect}" for defect in NETWORK_DEFECTS)} <= set(rows[0])
    with Image.open(tmp_path / "out" / CURVES) as picture:
        assert picture.width > 500
    chances = with_probabilities(model).predict(data()[0], verbose=0)
    assert chances.shape == (8, 3)
    assert 0 <= chances.min() <= chances.max() <= 1


def test_the_heads_alone_learn_in_the_first_stage(tmp_path: Path) -> None:
    """The backbone's weights are those it came with until it is tuned."""
    model, backbone = build_two_stage(TINY, None, SHAPE)
    before = [weight.copy() for weight in backbone.get_weights()]

    only = replace(TINY, tune_epochs=0)
    train_stages(model, backbone, only, (batches(), batches()), tmp_path / "out", tmp_path / "backup")

    for old, new in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_run_that_was_killed_goes_on_after_its_last_epoch(tmp_path: Path) -> None:
    """Two epochs were done of three: the second run does one more, and not three."""
    for epochs in (2, 3):
        stage = replace(TINY, head_epochs=epochs, tune_epochs=0)
        model, backbone = build_two_stage(stage, None, SHAPE)
        train_stages(model, backbone, stage, (batches(), batches()), tmp_path / "out", tmp_path / "backup")

    with (tmp_path / "out" / LOG).open(encoding="utf-8") as lines:
        assert [row["epoch"] for row in csv.DictReader(lines)] == ["0", "1", "2"]


def test_pictures_are_drawn_again_each_epoch_in_a_new_order() -> None:
    """Every scene once an epoch; the draw is the epoch."""
    flow = on_the_fly(SCENES, make, 4, seed=3)

    first, second = ([int(value) for pixels, _ in flow for value in pixels.numpy()[:, 0, 0, 0]] for _ in range(2))

    assert sorted(first) == sorted([number * 10 for number in range(5)] * 2)
    assert sorted(second) == sorted([number * 10 + 1 for number in range(5)] * 2)
    assert [value // 10 for value in first] != [value // 10 for value in second]


def test_without_tensorflow_the_same_pictures_come() -> None:
    """As a data set of Keras, in the same order."""
    pictures = without_tensorflow(SCENES, make, 2, seed=3)
    flow = on_the_fly(SCENES, make, 4, seed=3)

    seen = [int(value) for index in range(len(pictures)) for value in pictures[index][0][:, 0, 0, 0]]

    assert seen == [int(value) for pixels, _ in flow for value in pixels.numpy()[:, 0, 0, 0]]
    pictures.on_epoch_end()
    assert {int(pictures[0][0][0, 0, 0, 0]) % 10} == {1}


def test_a_table_becomes_batches_of_frames(tmp_path: Path) -> None:
    """Any size is brought into the frame; labels stay beside their pictures."""
    Image.fromarray(np.full((30, 40, 3), 200, np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(np.full((60, 80, 3), 20, np.uint8)).save(tmp_path / "b.jpg")
    head = "path,blur,under,over,dist_type,dist_level,ref\n"
    (tmp_path / "t.csv").write_text(head + "a.png,0,0,0,0,0,a\nb.jpg,0,1,0,17,4,a\n", "utf-8")

    ((pixels, labels),) = list(from_table(tmp_path / "t.csv", 4, None))

    assert pixels.shape == (2, 384, 512, 3)
    np.testing.assert_allclose([200, 20], pixels.numpy()[:, 5, 5, 0], atol=1)
    assert labels.numpy().tolist() == [[0, 0, 0], [0, 1, 0]]


def test_it_trains_on_jax_as_well(tmp_path: Path) -> None:
    """In a process of its own, because Keras takes its backend once; TensorFlow is not touched there."""
    script = """
import sys
from pathlib import Path
import numpy as np
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "tensorflow": raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())  # Keras looks whether the name is in sys.modules, so None there will not do
import keras
from culld.training.experiment import TwoStageExperiment
from culld.training.two_stage.experiment import build_two_stage, train_stages, with_probabilities
from culld.training.provenance import provenance
assert provenance()["backend"] == "jax"
assert "tensorflow" not in provenance() and "jax" in provenance()
tiny = TwoStageExperiment(backbone="mobilenetv3small", head_epochs=1, tune_epochs=1)
model, backbone = build_two_stage(tiny, None, (64, 96, 3))
data = np.random.default_rng(0).random((4, 64, 96, 3), np.float32), np.zeros((4, 3), np.float32)
class Pictures(keras.utils.PyDataset):
    def __len__(self): return 1
    def __getitem__(self, index): return data
out = Path(sys.argv[1])
train_stages(model, backbone, tiny, (Pictures(), Pictures()), out, out / "backup")
with_probabilities(model).save(out / "model.keras")
"""
    environ = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}

    subprocess.run([sys.executable, "-c", script, tmp_path], env=environ, check=True, capture_output=True)

    assert (tmp_path / "model.keras").exists()
    assert len((tmp_path / LOG).read_text("utf-8").splitlines()) == 3
