"""The experiment on heat maps: targets, the map as Grad-CAM defines it, its loss, and a small run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from culld.errors import ConfigError
from culld.training.cam_loss.experiment import CamLossExperiment, load_cam_loss
from culld.training.cam_loss.measure import energy_inside, look
from culld.training.cam_loss.network import build_tail, energy_outside
from culld.training.cam_loss.pictures import Pair, PairFeatures, repaired, strongest
from culld.training.cam_loss.targets import GRID, TARGETS
from culld.training.cam_loss.train import train_all
from harness import factories

pytest.importorskip("tensorflow", reason="needs TensorFlow")
pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "models" / "cam-loss"


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_target_is_a_quarter_of_the_picture(name: str) -> None:
    """So that chance has a quarter of the energy there."""
    mask = TARGETS[name](np.asarray(factories.picture(1, (512, 384))))

    assert mask.shape == GRID
    assert mask.mean() == 0.25
    assert set(np.unique(mask)) == {0.0, 1.0}


def test_what_stands_out_is_salient() -> None:
    """A small bright square on a ground with some noise."""
    frame = np.random.default_rng(3).integers(80, 100, (384, 512, 3)).astype(np.uint8)
    frame[96:144, 320:384] = 240

    mask = TARGETS["saliency"](frame)

    assert mask[6:9, 20:24].mean() > 0.9


def test_the_map_is_grad_cam_and_its_weights_are_detached() -> None:
    """By TensorFlow's own gradient; a loss of the map does not reach the kernel of the head."""
    import keras
    import tensorflow as tf

    tail = build_tail()
    features = tf.constant(np.random.default_rng(1).normal(size=(2, 48, 64, 32)).astype(np.float32))
    body = tail.get_layer("third").output
    activations = keras.Model(tail.input, body)(features)
    head = tail.get_layer("head")
    with tf.GradientTape() as tape:
        tape.watch(activations)
        logit, cam = head(activations)
    slope = tape.gradient(logit, activations)
    weights = tf.reduce_mean(slope, axis=(1, 2), keepdims=True)

    np.testing.assert_allclose(cam, tf.reduce_sum(weights * activations, axis=-1), atol=1e-6)
    np.testing.assert_allclose(cam, tf.reduce_sum(slope * activations, axis=-1), atol=1e-6)  # HiResCAM
    np.testing.assert_allclose(tf.reduce_sum(cam, axis=(1, 2)), logit[:, 0], atol=1e-5)  # the bias is 0

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(head(activations)[1])
    assert tape.gradient(loss, head.kernel) is None


def test_the_loss_is_the_share_of_energy_outside() -> None:
    """Evidence against the defect counts for nothing."""
    mask, cam = np.zeros((1, *GRID), np.float32), np.zeros((1, *GRID), np.float32)
    mask[0, 0, 0] = 1
    cam[0, 0, 0], cam[0, 5, 5], cam[0, 7, 7] = 3.0, 1.0, -9.0

    assert float(np.asarray(energy_outside(mask, cam))[0]) == pytest.approx(0.25, abs=1e-3)


def test_cells_are_given_back_from_the_clean_picture() -> None:
    """The largest cells of the map, and no others."""
    clean, blurred = np.full((384, 512, 3), 200, np.uint8), np.zeros((384, 512, 3), np.uint8)
    cam = np.zeros(GRID, np.float32)
    cam[3, 4] = 1.0

    frame = repaired(Pair(clean, blurred), strongest(cam, 1 / (24 * 32)))

    assert frame[3 * 16 : 4 * 16, 4 * 16 : 5 * 16].min() == 200
    assert (frame > 0).mean() == pytest.approx(1 / (24 * 32))


def test_a_network_learns_to_show_its_corners() -> None:
    """On features that tell the two classes apart everywhere; the task is still done."""
    rng = np.random.default_rng(2)
    labels = np.repeat(np.array([0.0, 1.0], np.float32), 24)
    features = (rng.normal(size=(48, 48, 64, 32)) + labels[:, None, None, None]).astype(np.float16)
    masks = np.stack([TARGETS["corners"](np.zeros((384, 512, 3), np.uint8))] * 48)
    learn = PairFeatures(features, labels, {"corners": masks})
    experiment = CamLossExperiment(epochs=4, tune_epochs=8, batch=12)

    found = {name: look(model, learn) for name, model in train_all(learn, experiment, 1, lambda _: None).items()}

    inside = {name: float(energy_inside(looked, masks).mean()) for name, looked in found.items()}
    assert inside["corners"] > inside["baseline"] + 0.1
    assert ((found["corners"].logits > 0) == (labels > 0)).mean() > 0.95


def test_the_experiment_file_holds_the_values_in_use(tmp_path: Path) -> None:
    """The defaults are those of the file; another key is refused."""
    assert load_cam_loss(FOLDER / "experiment.yaml") == CamLossExperiment()
    (tmp_path / "bad.yaml").write_text("seeds: 3\nwieght: 2\n")
    with pytest.raises(ConfigError) as error:
        load_cam_loss(tmp_path / "bad.yaml")
    assert len(error.value.problems) == 2
