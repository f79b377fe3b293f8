"""The files that explain the shipped model, compared with the model itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from culld.errors import SystemFaultError
from culld.explain.heat import COLUMNS, ROWS, heat, heat_of
from culld.explain.light import light_levels
from culld.explain.method import Method
from culld.explain.network import GRAPH_FILE, HEADS_FILE, LEVELS, ExplainNetwork
from culld.inference.card import read_card
from culld.records import NETWORK_DEFECTS, Defect
from culld.stages.read.scoring import open_litert, score

FOLDER = Path(__file__).parents[2] / "models" / "defects"


@pytest.fixture(scope="module")
def network() -> ExplainNetwork:
    """The shipped files, loaded once."""
    return ExplainNetwork.open(FOLDER)


def a_frame(seed: int = 3) -> np.ndarray:
    """Bricks under texture, half of them darkened, so that every level sees something."""
    rng = np.random.default_rng(seed)
    bricks = rng.uniform(0, 1, (24, 32, 3)).repeat(16, axis=0).repeat(16, axis=1)
    picture = np.clip(bricks + rng.uniform(-0.1, 0.1, (384, 512, 1)), 0, 1)
    picture[:, :256] *= 0.15
    return np.round(picture * 255).astype(np.uint8)


def test_the_probabilities_are_those_of_the_model(network: ExplainNetwork) -> None:
    """The heads in NumPy, calibration included."""
    frame = a_frame()
    scores = score(open_litert(FOLDER / "model.tflite"), frame)

    for head in NETWORK_DEFECTS:
        assert heat(network, frame, head).probability == pytest.approx(scores.of(head), abs=1e-4)


def test_the_levels_of_light_are_those_that_the_network_reads(network: ExplainNetwork) -> None:
    """Their means are its features; so a change of the features would be seen here."""
    frame = a_frame()
    outputs, groups = network.outputs(frame), network.heads.groups
    features = outputs["features"]
    light, grid = (light_levels(frame)[name] for name in ("light", "grid"))
    start = groups["light"]

    means = light.mean(axis=(0, 1))
    assert means[:32] == pytest.approx(features[start : start + 32], abs=1e-5)
    assert np.cumsum(means[:32]) == pytest.approx(features[start + 32 : start + 64], abs=1e-5)
    assert means[32:] == pytest.approx(features[start + 64 : start + 71], abs=1e-5)
    tiles = grid.reshape(6, 16, 8, 16, 3).mean(axis=(1, 3))
    read = features[groups["grid"] : groups["grid"] + 192].reshape(6, 8, 4)[..., :3]
    assert tiles == pytest.approx(read, abs=1e-5)


def test_the_gradient_of_the_heads_is_right(network: ExplainNetwork) -> None:
    """Compared with the difference of the logit for a small step along the gradient."""
    features = network.outputs(a_frame())["features"].astype(np.float64)

    for head in network.heads.by_defect.values():
        logit, gradient = head.logit(features.astype(np.float32))
        step = 1e-3 * gradient / np.linalg.norm(gradient)
        ahead, _ = head.logit((features + step).astype(np.float32))
        assert (ahead - logit) / 1e-3 == pytest.approx(float(np.linalg.norm(gradient)), rel=0.05)


@pytest.mark.parametrize("head", NETWORK_DEFECTS)
def test_the_three_methods_give_three_maps(network: ExplainNetwork, head: Defect) -> None:
    """The levels are not pooled by their mean alone."""
    outputs = network.outputs(a_frame())

    maps = [heat_of(network, outputs, head, method).values for method in Method]

    assert all(each.shape == (ROWS, COLUMNS) and np.isfinite(each).all() for each in maps)
    assert np.abs(np.corrcoef([each.ravel() for each in maps]) - np.eye(3)).max() < 0.999


def test_a_burnt_part_is_marked_as_burnt(network: ExplainNetwork) -> None:
    """The right half of the frame is burnt out: the evidence lies there."""
    frame = a_frame() // 2 + 40
    frame[:, 256:] = 255

    values = np.maximum(heat(network, frame, Defect.OVER).values, 0)

    assert values[:, COLUMNS // 2 :].sum() > 2 * values[:, : COLUMNS // 2].sum()


def test_the_card_names_files_levels_and_figures() -> None:
    """The figures are those of `python -m bench.explain`; both files together stay below 7 MB."""
    entry = read_card(FOLDER).explain

    assert set(entry["files"]) == {GRAPH_FILE, HEADS_FILE}
    assert entry["levels"] == {head.value: list(names) for head, names in LEVELS.items()}
    assert set(entry["figures"]) == {head.value for head in NETWORK_DEFECTS}
    assert sum((FOLDER / name).stat().st_size for name in entry["files"]) < 7e6


def test_a_model_without_these_files_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """Such as one that was trained before culld could explain."""
    card = json.loads((FOLDER / "card.json").read_text())
    card.pop("explain")
    (tmp_path / "card.json").write_text(json.dumps(card))

    with pytest.raises(SystemFaultError, match="no files to explain it; write them with `culld model export"):
        ExplainNetwork.open(tmp_path)


def test_files_of_another_model_are_refused(tmp_path: Path) -> None:
    """Their map would explain another network."""
    for name in ("card.json", GRAPH_FILE, HEADS_FILE):
        shutil.copyfile(FOLDER / name, tmp_path / name)
    with (tmp_path / HEADS_FILE).open("ab") as stream:
        stream.write(b"!")

    with pytest.raises(SystemFaultError, match="is not the file that the card describes"):
        ExplainNetwork.open(tmp_path)
