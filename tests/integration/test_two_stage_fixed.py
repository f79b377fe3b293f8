"""The two-stage training on pictures that stay the same: what is frozen is computed once, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from culld.training.dataset import Scene
from culld.training.experiment import TwoStageExperiment
from culld.training.two_stage.experiment import LOG, build_two_stage, freeze, train_stages
from culld.training.two_stage.fixed_pictures import FixedPictures, as_batches, render_pictures
from culld.training.two_stage.frozen_layers import split_at_frozen, unfold_batch_norm

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's own
]
TINY = TwoStageExperiment(backbone="mobilenetv2", draws=1, head_epochs=1, tune_epochs=1, batch=4)
SHAPE = (64, 96, 3)


@pytest.fixture
def pictures() -> FixedPictures:
    """Eight noisy pictures, half of them dark."""
    rng = np.random.default_rng(0)
    labels = np.array([[0, number % 2, 0] for number in range(8)], np.float32)
    frames = rng.integers(0, 256, (8, *SHAPE)) // (1 + 9 * labels[:, 1, None, None, None].astype(int))
    return FixedPictures(frames.astype(np.uint8), labels, np.arange(8))


def built(experiment: TwoStageExperiment) -> tuple[Any, Any]:
    """The same network each time, with the batch norm of folded weights: offsets, and no statistics."""
    import keras

    keras.utils.set_random_seed(3)
    model, backbone = build_two_stage(experiment, None, SHAPE)
    rng = np.random.default_rng(1)
    for layer in backbone.layers:
        if type(layer).__name__ == "BatchNormalization":
            one = np.ones(layer.get_weights()[0].shape)
            layer.set_weights([one, rng.normal(0.5, 0.5, one.shape), 0 * one, one - layer.epsilon])
    return model, backbone


def make(scene: Scene, draw: int) -> tuple[np.ndarray, np.ndarray]:
    """The clean frame of a scene, and a frame that holds the numbers of the scene and of the draw."""
    number = int(scene.file[0]) * 10
    frames = np.stack([np.full((2, 2, 3), value, np.uint8) for value in (number, number + draw + 1)])
    return frames, np.array([[0, 0, 0], [1, 0, 0]], np.float32)


def test_a_clean_picture_is_kept_once_and_shown_once_for_each_draw() -> None:
    """So that half of an epoch's pictures are clean."""
    scenes = [Scene(f"{number}.jpg", frozenset(), "s", "CC0") for number in range(3)]

    found = render_pictures(scenes, make, 2, lambda *_: None)

    assert found.inputs[:, 0, 0, 0].tolist() == [0, 1, 2, 10, 11, 12, 20, 21, 22]
    assert found.inputs[found.epoch, 0, 0, 0].tolist() == [0, 1, 0, 2, 10, 11, 10, 12, 20, 21, 20, 22]
    assert found.labels[found.epoch, 0].tolist() == [0, 1] * 6


def test_the_order_of_an_epoch_depends_on_its_number_alone(pictures: FixedPictures) -> None:
    """A run that goes on begins with the epoch that is next."""
    batches, ordering = as_batches(pictures, 3, shuffle=1)
    first = np.concatenate([batches[index][1] for index in range(len(batches))])
    ordering.on_epoch_begin(1, None)
    second = np.concatenate([batches[index][1] for index in range(len(batches))])
    ordering.on_epoch_begin(0, None)

    assert sorted(map(tuple, first)) == sorted(map(tuple, second)) == sorted(map(tuple, pictures.labels))
    np.testing.assert_array_equal(first, np.concatenate([batches[index][1] for index in range(len(batches))]))


def test_the_second_generation_tunes_what_follows_block_12(pictures: FixedPictures) -> None:
    """The last 40 layers of MobileNetV2, whose batch norm stays as it is."""
    model, backbone = built(TINY)
    freeze(backbone, TINY, tuned=True)

    parts = split_at_frozen(model, tuned=True)

    assert parts is not None
    lower, upper = parts
    assert lower.layers[-1].name == "block_12_add"
    assert [each.name for each in upper.trainable_weights] == [each.name for each in model.trainable_weights]
    frames = pictures.inputs.astype(np.float32)
    np.testing.assert_allclose(
        upper.predict(lower.predict(frames, verbose=0), verbose=0), model.predict(frames, verbose=0), atol=1e-6
    )


def test_nothing_is_split_off_where_the_whole_backbone_is_trained() -> None:
    """The first generation."""
    whole = replace(TINY, tune_layers=0, freeze_batch_norm=False)
    model, backbone = built(whole)
    freeze(backbone, whole, tuned=True)

    assert split_at_frozen(model, tuned=True) is None


@pytest.mark.parametrize("tuned", [False, True])
def test_a_step_of_what_follows_the_frozen_layers_is_a_step_of_the_whole(
    pictures: FixedPictures, *, tuned: bool
) -> None:
    """The same gradients; plain descent shows them, where Adam takes full steps by rounding errors."""
    import keras

    plain = replace(TINY, dropout=0.0, heads="first")
    moved, frames = [], pictures.inputs.astype(np.float32)
    for whole in (True, False):
        model, backbone = built(plain)
        start = model.get_weights()
        freeze(backbone, plain, tuned=tuned)
        parts = split_at_frozen(model, tuned=tuned)
        assert parts is not None
        learner = model if whole else parts[1]
        learner.compile(optimizer=keras.optimizers.SGD(0.1), loss=keras.losses.BinaryCrossentropy(from_logits=True))
        seen = frames if whole else pictures.features(parts[0]).inputs
        learner.train_on_batch(seen, pictures.labels)
        moved.append([new - old for new, old in zip(model.get_weights(), start, strict=True)])

    way, apart = (np.concatenate([each.ravel() for each in part]) for part in moved)
    assert np.abs(way).max() > 1e-3
    np.testing.assert_allclose(apart, way, atol=1e-5)


def test_an_interrupted_training_ends_with_the_weights_of_one_that_was_not(
    pictures: FixedPictures, tmp_path: Path
) -> None:
    """The state of the optimiser and the order of the pictures go on as well; of dropout, only the share does."""
    stage = replace(TINY, tune_epochs=2, dropout=0.0, heads="first")
    for folder, ends in (("whole", [2]), ("parts", [1, 2])):
        for end in ends:
            model, backbone = built(stage)
            out, backup = tmp_path / folder, tmp_path / folder / "backup"
            train_stages(model, backbone, replace(stage, tune_epochs=end), (pictures, pictures), out, backup)
        model.save_weights(tmp_path / f"{folder}.weights.h5")

    whole, parts = (built(stage)[0] for _ in range(2))
    whole.load_weights(tmp_path / "whole.weights.h5")
    parts.load_weights(tmp_path / "parts.weights.h5")

    for one, other in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert (tmp_path / "whole" / LOG).read_text("utf-8").count("\n") == 4


def test_batch_norm_with_restored_statistics_computes_the_same(pictures: FixedPictures) -> None:
    """And in training, with the statistics of the batch, about the same, which folded weights do not."""
    model, backbone = built(TINY)
    frames = pictures.inputs.astype(np.float32)
    folded, moved = model.predict(frames, verbose=0), np.asarray(backbone(frames, training=True))

    unfold_batch_norm(backbone, pictures.inputs)

    np.testing.assert_allclose(model.predict(frames, verbose=0), folded, atol=1e-3)
    plain, trained = (np.asarray(backbone(frames, training=training)) for training in (False, True))
    assert np.abs(trained - plain).mean() < 0.2 * np.abs(moved - plain).mean()
