"""The figures of a model that does not ship, as a row of the table."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.accuracy.collect import collect
from bench.accuracy.kept import Kept, keep, kept_out, read_kept
from culld.errors import ConfigError
from culld.inference.card import MODEL_FILE, Card, save_card
from culld.records import NETWORK_DEFECTS
from culld.training.dataset import Scene, Split, split
from culld.training.experiment import TwoStageExperiment, as_yaml
from culld.training.report import evaluation_figures
from harness.photographs import run_context
from harness.predictions import REJECT, SHARES, TAG, all_protocols

SCENES = [Scene(f"{number}.jpg", frozenset(), "drawn", "CC0") for number in range(200)]
RECIPE = TwoStageExperiment(name="peer", differs="MobileNetV2 for EfficientNetB0")
FIGURES = evaluation_figures(all_protocols(), TAG, REJECT, SHARES)
TEST = split(SCENES, RECIPE.splits).test


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder of a finished training."""
    return model_folder(tmp_path / "out", RECIPE)


@pytest.fixture
def peer(tmp_path: Path) -> Path:
    """The folder of the recipe, without a model."""
    folder = tmp_path / "models" / "peer"
    folder.mkdir(parents=True)
    (folder / "train.yaml").write_text("# a comment\n" + as_yaml(RECIPE), "utf-8")
    return folder


def model_folder(folder: Path, recipe: TwoStageExperiment) -> Path:
    """Write a folder with a model of this recipe, its card and its recipe."""
    folder.mkdir(parents=True)
    (folder / MODEL_FILE).write_bytes(recipe.name.encode())
    (folder / "train.yaml").write_text(as_yaml(recipe), "utf-8")
    card = Card(
        name=recipe.name,
        version=1,
        digest=hashlib.sha256(recipe.name.encode()).hexdigest(),
        width=512,
        height=384,
        labels=NETWORK_DEFECTS,
        thresholds=recipe.thresholds,
        data={"scenes": {"train": 1744}, "training_pictures": 8720},
        origin={"trunk": "mobilenetv2"},
        metrics={**FIGURES, "milliseconds_per_frame": 40.0},
        calibration={},
        provenance={"revision": "abc"},
    )
    save_card(folder, card)
    return folder


def test_the_figures_of_a_training_are_kept_beside_its_recipe(out: Path, peer: Path) -> None:
    """With the date, what differs, and the photographs that were kept out; without what depends on the machine."""
    keep(out, peer, SCENES, "2026-11-28")

    found = read_kept(peer, TEST)
    assert isinstance(found, Kept)
    assert found.name.startswith("peer-1@")
    assert found.note == (
        "figures of its training of 2026-11-28 on 8,720 pictures of 1,744 scenes; the model does not ship; "
        "MobileNetV2 for EfficientNetB0"
    )
    assert found.figures == json.loads(json.dumps(FIGURES))
    run = json.loads((peer / "figures.json").read_text("utf-8"))["run"]
    assert run["kept_out"] == kept_out(TEST)
    assert run["provenance"] == {"revision": "abc"}


def test_figures_of_other_photographs_are_no_row(out: Path, peer: Path) -> None:
    """The reason stands in the table."""
    keep(out, peer, SCENES, "2026-11-28")

    assert read_kept(peer, TEST[1:]) == "its figures are those of other photographs"


def test_a_recipe_alone_has_no_figures(peer: Path) -> None:
    """As before its first training."""
    assert read_kept(peer, TEST) == "a recipe without a trained model"


def test_the_figures_of_another_recipe_are_refused(out: Path, peer: Path) -> None:
    """For instance of another seed, which kept other photographs out."""
    (peer / "train.yaml").write_text(as_yaml(replace(RECIPE, seed=2)), "utf-8")

    with pytest.raises(ConfigError, match="is not the recipe"):
        keep(out, peer, SCENES, "2026-11-28")


def test_a_file_that_holds_no_kept_figures_is_named(peer: Path) -> None:
    """Such as figures without their run."""
    (peer / "figures.json").write_text('{"model": "peer"}', "utf-8")

    with pytest.raises(ConfigError, match=r"figures\.json: holds no kept figures"):
        read_kept(peer, TEST)


def test_kept_figures_are_a_contender_and_a_model_that_saw_test_scenes_is_none(out: Path, peer: Path) -> None:
    """A model of another split is missing, with the number of photographs that it was trained on."""
    keep(out, peer, SCENES, "2026-11-28")
    ours = model_folder(peer.parent / "ours", replace(RECIPE, name="ours"))
    model_folder(peer.parent / "other", replace(RECIPE, name="other", seed=2))
    photos = peer.parent.parent
    rows = [f"{scene.file},,drawn,CC0" for scene in SCENES]
    (photos / "index.csv").write_text("file,tags,source,licence\n" + "\n".join(rows) + "\n", "utf-8")
    parts = split(SCENES, RECIPE.splits)

    context = replace(run_context(), photos=photos, decode=lambda path: np.full((24, 32, 3), int(path.stem), np.uint8))

    found = collect(ours, (), None, Split(parts.train, parts.calibration[:3], parts.test), 1, context)

    (name,) = found.kept
    assert name.startswith("peer-1@")
    assert "the model does not ship" in found.notes[name]
    assert [each.name.split("-")[0] for each in found.classifiers] == ["ours", "plain rules", "plain rules, fitted"]
    (reason,) = [why for name, why in found.missing.items() if name.startswith("other-1@")]
    assert reason.startswith("it was trained on ")
    assert reason.endswith(" of these photographs")
