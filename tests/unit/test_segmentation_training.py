"""A few steps of the training of the segmentation network, and the files that come of it."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from culld.cli import model_segmentation
from culld.errors import ConfigError
from culld.inference.card import load_card
from culld.records.regions import REGION_CLASSES
from culld.segment import rules
from culld.segment.maps import maps_of, open_segmentation
from culld.segment.masks import Segmenter
from culld.training.segmentation import train as training
from culld.training.segmentation.experiment import SegmentationExperiment, load_segmentation
from culld.training.segmentation.export import write_segmentation
from culld.training.segmentation.losses import dice_entropy
from culld.training.segmentation.network import MAPS, build_segmentation, differences
from culld.training.segmentation.train import EVERY, train_segmentation
from harness import factories

keras = pytest.importorskip("keras", reason="needs TensorFlow")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's own
]

CHANNELS = (4, 4, 6, 6, 8)
SMALL = SegmentationExperiment(channels=CHANNELS, crop=64, batch=2, steps=2 * EVERY)
SHIPPED = Path(__file__).parents[2] / "models" / "segment" / "train.yaml"


def photos() -> list[np.ndarray]:
    """Three pictures."""
    return [np.asarray(factories.picture(seed, (260, 240))) for seed in range(3)]


def loss_of(labels: np.ndarray, weights: np.ndarray, logits: np.ndarray) -> float:
    """The loss of the source document."""
    truth = np.concatenate((labels, weights), axis=-1).astype(np.float32)
    return float(dice_entropy(0.3, 1.0)(truth, logits.astype(np.float32)))


def test_the_loss_is_cross_entropy_plus_dice_of_the_classes_that_are_there() -> None:
    """A right answer costs nothing, a wrong one both parts; a class that is absent adds no Dice."""
    labels = np.zeros((2, 32, 32, 8))
    labels[:, :16, :, 1] = 1
    right = np.where(labels > 0, 20.0, -20.0)
    undecided = np.zeros_like(right)

    assert loss_of(labels, np.ones_like(labels), right) == pytest.approx(0, abs=1e-3)
    assert loss_of(labels, np.ones_like(labels), undecided) == pytest.approx(np.log(2) + 0.3 * 0.5, abs=0.01)
    assert loss_of(np.zeros_like(labels), np.ones_like(labels), undecided) == pytest.approx(np.log(2), abs=1e-3)


def test_what_has_no_weight_does_not_count() -> None:
    """However wrong it is."""
    labels = np.zeros((1, 32, 32, 8))
    labels[:, :16, :, 2] = 1
    logits = np.where(labels > 0, 20.0, -20.0)
    weights = np.ones_like(labels)
    weights[:, 10:] = 0
    logits[:, 10:] *= -1

    assert loss_of(labels, weights, logits) == pytest.approx(0, abs=1e-3)


def test_the_network_has_the_size_that_the_issue_asks_for() -> None:
    """0.3 to 1 million parameters; eight maps in the resolution of the picture."""
    model = build_segmentation(load_segmentation(SHIPPED).channels)

    assert 300_000 < model.count_params() < 1_000_000
    assert model(np.zeros((1, 64, 96, 3), np.float32)).shape == (1, 64, 96, len(REGION_CLASSES))


def test_the_stem_sees_the_size_of_differences_between_pixels() -> None:
    """Nothing in a flat picture; at an upright edge of 100 levels those across and aslant, not those down."""
    picture = np.full((1, 64, 64, 3), 50, np.float32)
    flat = inner(differences(picture))
    picture[:, :, 32:] = 150

    edge = inner(differences(picture))

    assert flat.shape == (12, 12, 24)
    assert flat.max() < 1e-2
    across, down, aslant = ([direction + 4 * group for group in (0, 1, 3, 4, 5)] for direction in range(3))
    assert edge.max(axis=(0, 1))[across].min() > 5
    assert edge.max(axis=(0, 1))[down].max() < 1e-2
    assert edge.max(axis=(0, 1))[aslant].min() > 5
    assert edge.max(axis=(0, 1))[8:12].max() < 1e-2, "grey has no red less green"


def inner(sizes: Any) -> np.ndarray:
    """The sizes away from the border, which past itself sees black."""
    return np.asarray(sizes)[0, 10:-10, 10:-10]


def test_a_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    """With the step after it; a run that is complete is not trained again."""
    seen: list[int] = []

    class Interrupted(Exception):  # noqa: N818 (it is no error of culld)
        """Ends the first run."""

    def stop(step: int, _loss: float) -> None:
        seen.append(step)
        raise Interrupted

    with pytest.raises(Interrupted):
        train_segmentation(photos(), SMALL, rules, tmp_path, stop)
    model = train_segmentation(photos(), SMALL, rules, tmp_path, lambda step, _loss: seen.append(step))
    again = train_segmentation(photos(), SMALL, rules, tmp_path, lambda step, _loss: seen.append(step))

    assert seen == [EVERY, 2 * EVERY]
    assert json.loads((tmp_path / "checkpoint.json").read_text("utf-8")) == {"steps": 2 * EVERY}
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_loss_falls(tmp_path: Path) -> None:
    """Within two hundred steps of a tiny network."""
    losses: list[float] = []

    train_segmentation(
        photos(), replace(SMALL, learning_rate=0.01), rules, tmp_path, lambda _step, loss: losses.append(loss)
    )

    assert losses[1] < losses[0]
    assert len(losses) == SMALL.steps // training.EVERY


def test_the_file_gives_the_maps_of_the_network(tmp_path: Path) -> None:
    """Sigmoids of its logits at half of the size, within the rounding of half precision; other sides are refused."""
    model = build_segmentation(CHANNELS)
    file = tmp_path / "model.tflite"
    with pytest.raises(ConfigError, match="side"):
        write_segmentation(model, CHANNELS, file, 100)
    digest = write_segmentation(model, CHANNELS, file, 96)
    (tmp_path / "card.json").write_text(
        json.dumps(
            {
                "name": "segment", "version": 1, "digest": digest, "width": 96, "height": 96,
                "labels": list(REGION_CLASSES), "thresholds": [{"tag": 0.5, "reject": None}] * 8,
                "data": {}, "origin": {}, "metrics": {}, "calibration": {"by_rule": ["flat"]}, "provenance": {},
            }
        ),
        "utf-8",
    )  # fmt: skip
    picture = photos()[0][:96, :96]

    found = maps_of(picture, open_segmentation(tmp_path))

    inner = keras.Model(model.input, model.get_layer(MAPS).output)
    logits = np.asarray(inner(picture[None].astype(np.float32)))[0]
    np.testing.assert_allclose(found[::2, ::2], 1 / (1 + np.exp(-logits)), atol=0.01)
    assert Segmenter.open(tmp_path).by_rule == {"flat"}


def test_the_command_writes_a_model_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trained, exported, with a threshold for each class and the choice between network and rules in its card."""
    folder = tmp_path / "photos"
    folder.mkdir()
    names = [f"{number}.jpg" for number in range(12)]
    for number, name in enumerate(names):
        factories.picture(number, (300, 300)).save(folder / name, quality=95)
    lines = ["file,width,height,tags,source,licence", *(f"{name},300,300,,drawn,CC0" for name in names)]
    (folder / "index.csv").write_text("\n".join(lines) + "\n", "utf-8")
    recipe = tmp_path / "train.yaml"
    recipe.write_text(
        "recipe: segmentation\nchannels: [4, 4, 6, 6, 8]\ncrop: 64\nbatch: 2\nsteps: 4\ntest: 0.3\ncalibration: 0.3\n",
        "utf-8",
    )
    out = tmp_path / "model"

    code = model_segmentation.train(
        argparse.Namespace(experiment=recipe, photos=folder, cache=tmp_path / "cache", out=out, seed=None)
    )

    card = load_card(out)
    assert code == 0
    assert "segment-1@" in capsys.readouterr().out
    assert len(card.thresholds) == len(REGION_CLASSES)
    assert set(card.calibration["dice"]) == {"shadow", "highlight", "flat"}
    assert set(card.metrics["classes"]) == set(REGION_CLASSES)
    assert Segmenter.open(out).segment(photos()[0]).masks.keys() == set(REGION_CLASSES)
