"""Training of networks of change: the experiment file, the losses, the figures, and a run of a few steps."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from culld.cli import build_parser
from culld.cli import model as command
from culld.cli.model_common import run_context
from culld.compare import registry
from culld.errors import ConfigError
from culld.inference.card import load_card
from culld.training.change.experiment import ChangeExperiment, load_change
from culld.training.change.losses import LOSSES
from culld.training.change.measure import STEPS, best_threshold, count, drawn_pairs, figures, pair_count
from culld.training.change.pairs import ChangePair
from culld.training.change.train import train_change
from culld.training.dataset import Scene, read_index, split
from culld.training.experiment import as_yaml, load_recipe
from harness.drawn_scenes import photo_folder, tiles

MODELS = Path(__file__).parents[2] / "models"
SMALL = ChangeExperiment(crop=(64, 64), batch=2, steps=3, tune_steps=1, test=0.3, calibration=0.3)


@pytest.mark.parametrize("name", ["fcsiam-tiny", "siamese-mobilenetv2"])
def test_the_experiment_file_that_ships_can_be_read_back(name: str, tmp_path: Path) -> None:
    """And it is that of its network."""
    experiment = load_change(MODELS / name / "train.yaml")
    (tmp_path / "again.yaml").write_text(as_yaml(experiment), "utf-8")

    assert experiment.name == name
    assert load_change(tmp_path / "again.yaml") == experiment


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("loss: hinge", "loss: 'hinge' is not one of bce.dice, contrastive, triplet"),
        ("crop: [100, 128]", "multiples of 32"),
        ("batch: 0", "batch"),
        ("colour: red", "no such key"),
    ],
)
def test_values_that_cannot_be_used_are_refused(text: str, problem: str, tmp_path: Path) -> None:
    """Before an hour of training."""
    (tmp_path / "train.yaml").write_text(f"recipe: change\n{text}\n", "utf-8")

    with pytest.raises(ConfigError, match=problem):
        load_change(tmp_path / "train.yaml")


def test_the_file_of_a_network_of_change_is_no_file_of_a_network_of_defects(tmp_path: Path) -> None:
    """The message names the recipe."""
    (tmp_path / "train.yaml").write_text("recipe: change\n", "utf-8")

    with pytest.raises(ConfigError, match="'change' is not one for networks of defects"):
        load_recipe(tmp_path / "train.yaml")


def half_pair(kind: str, changed: int, *, refocused: bool = False) -> ChangePair:
    """A grey pair of 10x10 pixels whose first `changed` rows differ."""
    frame, mask = np.full((10, 10, 3), 100, np.uint8), np.zeros((10, 10), bool)
    mask[:changed] = True
    return ChangePair(frame, np.where(mask[:, :, None], 200, frame).astype(np.uint8), mask, kind, mask | refocused)


def test_the_figures_are_those_that_are_counted_by_hand() -> None:
    """A model that finds rows 0 to 3 with 0.8 and is wrong about one pixel of an unchanged pair with 0.6."""

    def model(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        found = np.zeros((10, 10), np.float32)
        found[:4] = 0.8 * (first[0, 0, 0] != second[0, 0, 0])
        found[9, 9] = 0.6
        return found

    pairs = [half_pair("paste", 5), half_pair("move", 2), half_pair("unchanged", 0)]
    pairs.append(half_pair("unchanged", 0, refocused=True))
    counts = count({"m": model}, iter(pairs), lambda _: None)["m"]
    found = figures(counts, 0.5)

    # paste: 40 hits, 1 false, 10 missed; move: 20 hits, 21 false; unchanged: 1 false
    assert found["micro"]["iou"][0] == pytest.approx(60 / (60 + 23 + 10), abs=1e-4)
    assert found["micro"]["f1"][0] == pytest.approx(120 / (120 + 33), abs=1e-4)
    assert found["per_pair"]["iou"][0] == pytest.approx((40 / 51 + 20 / 41) / 2, abs=1e-4)
    assert found["by_kind"]["move"]["iou"][0] == pytest.approx(20 / 41, abs=1e-4)
    assert found["false_alarm_area"]["unchanged"][0] == 0.01
    assert found["false_alarm_area"]["refocused"][0] == 0.01
    assert counts.inside.shape == (4, STEPS + 1)
    assert 0.6 < best_threshold(counts) <= 0.8


def test_measured_pairs_are_the_same_each_time_and_of_all_kinds() -> None:
    """One for each scene, and a refocused one for every third."""
    pytest.importorskip("cv2", reason="needs OpenCV")
    scenes = [Scene(f"{number}.jpg", frozenset(), "drawn", "CC0") for number in range(6)]

    once, again = (list(drawn_pairs(scenes, lambda scene: tiles(int(scene.file[0])), 1)) for _ in range(2))

    assert len(once) == pair_count(scenes) == 8
    assert {pair.kind for pair in once} == {"unchanged", "paste", "remove", "move", "recolour"}
    assert all(np.array_equal(one.second, other.second) for one, other in zip(once, again, strict=True))
    assert all(pair.first.shape == (384, 512, 3) for pair in once)


def command_line(*options: str | Path) -> int:
    """Run `culld model` with these options."""
    return command.run(build_parser(["model"]).parse_args(["model", *map(str, options)]))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")  # TensorFlow's own
def test_a_few_steps_of_training_write_a_model_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From photos to card and figures; evaluation repeats the figures."""
    pytest.importorskip("tensorflow", reason="needs TensorFlow")
    photo_folder(tmp_path, 14)
    (tmp_path / "train.yaml").write_text(as_yaml(SMALL), "utf-8")
    photos = ("--photos", tmp_path, "--cache", tmp_path / "c")

    code = command_line("train", *photos, "--experiment", tmp_path / "train.yaml", "--out", tmp_path / "out")
    card, kept = load_card(tmp_path / "out"), json.loads((tmp_path / "out" / "figures.json").read_text("utf-8"))

    assert code == 0
    assert card.name == "fcsiam-tiny"
    assert card.labels == ("change",)
    assert sum(card.data["scenes"].values()) == 14
    assert card.data["training_pictures"] == 8
    assert card.metrics == kept["models"]["fcsiam-tiny"]
    assert {"absdiff", "ssim", "fcsiam-tiny"} <= set(kept["models"])

    capsys.readouterr()
    assert command_line("evaluate", tmp_path / "out", *photos) == 0
    assert "culld compare bench" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "figures.json").read_text("utf-8")) == kept


def learn(folder: Path, experiment: ChangeExperiment) -> np.ndarray:
    """The weights of the tiny network after the steps of an experiment on drawn photographs."""
    photo_folder(folder, 14)
    options = argparse.Namespace(photos=folder, cache=folder, real_exposure=None)
    scenes = split(read_index(folder), experiment.splits)
    context = run_context(options, folder, lambda *_: None, None)
    model = train_change(registry.entry("fcsiam-tiny").build, scenes, experiment, context)
    return np.concatenate([each.ravel() for each in model.get_weights()])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != SMALL.loss])
def test_each_loss_can_be_learnt_from(loss: str, tmp_path: Path) -> None:
    """No weight becomes infinite; the first loss is learnt from in the test of the seed."""
    pytest.importorskip("tensorflow", reason="needs TensorFlow")

    assert np.isfinite(learn(tmp_path, replace(SMALL, loss=loss))).all()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_same_seed_trains_the_same_network_and_another_seed_another(tmp_path: Path) -> None:
    """Weights, order of the photos and pairs all follow from it."""
    pytest.importorskip("tensorflow", reason="needs TensorFlow")

    one, again, other = (learn(tmp_path, experiment) for experiment in (SMALL, SMALL, replace(SMALL, seed=2)))

    assert np.isfinite(one).all()
    assert np.abs(one - again).max() < 1e-4
    assert np.abs(one - other).max() > 1e-2
