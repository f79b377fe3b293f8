"""The whole training wing on a dozen drawn pictures: it runs, and its two models agree."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench.accuracy.__main__ import main as accuracy
from bench.accuracy.results_page import results_page
from culld.cli import build_parser
from culld.cli import model as command
from culld.errors import ConfigError
from culld.inference.card import load_card
from culld.stages.read.scoring import open_litert, score
from culld.training.defects.features import Table
from culld.training.defects.fit import fit_heads
from culld.training.defects.network import Layout
from culld.training.experiment import Experiment, as_yaml, load_experiment
from culld.training.export import MAX_PROBABILITY_DIFFERENCE, load_keras

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's own
]
SMALL = replace(
    Experiment(),
    name="tiny",
    epochs=2,
    ensemble=2,
    pictures=("field",),
    draws=1,
    blur_inputs=("mean", "deviation"),
    under_inputs=("stem_half", "light"),
    over_inputs=("light",),
    seed=2,  # of untrained weights: with some, half precision moves a probability on noise by more than is allowed
    test=0.3,
    calibration=0.2,
)


def draw_photos(folder: Path, count: int) -> None:
    """Pictures of coloured bricks, with the index that training reads."""
    rng = np.random.default_rng(0)
    lines = ["file,width,height,tags,source,licence"]
    for number in range(count):
        bricks = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8).repeat(10, axis=0).repeat(10, axis=1)
        Image.fromarray(bricks).save(folder / f"{number}.jpg")
        lines.append(f"{number}.jpg,160,120,{'bokeh' if number == 1 else ''},drawn,CC0")
    (folder / "index.csv").write_text("\n".join(lines) + "\n", "utf-8")


def command_line(*options: str | Path) -> int:
    """Run `culld model` with these options."""
    arguments = build_parser(["model"]).parse_args(["model", *map(str, options)])
    return command.run(arguments)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained for a handful of steps on a random backbone."""
    folder = tmp_path_factory.mktemp("training")
    draw_photos(folder, 12)
    (folder / "train.yaml").write_text("# tiny\n" + as_yaml(SMALL), "utf-8")
    code = command_line(
        "train",
        "--photos",
        folder,
        "--experiment",
        folder / "train.yaml",
        "--out",
        folder / "out",
        "--cache",
        folder / "c",
    )
    assert code == 0
    return folder


def test_training_writes_a_model_with_a_fitting_card(trained: Path) -> None:
    """Model, card and the experiment that made them lie together."""
    card = load_card(trained / "out")

    assert card.name == "tiny"
    assert sum(card.data["scenes"].values()) == 12
    assert (trained / "out" / "train.yaml").read_text("utf-8") == (trained / "train.yaml").read_text("utf-8")


def test_kadis_pictures_can_be_learned_from_as_well(trained: Path, tmp_path: Path) -> None:
    """Each scene clean and in all four ways, beside or in place of what happens in the field; another seed on top."""
    (tmp_path / "train.yaml").write_text(
        as_yaml(replace(SMALL, pictures=("kadis", "field"), precision="float32")), "utf-8"
    )
    options = ("--photos", trained, "--cache", trained / "c", "--experiment", tmp_path / "train.yaml", "--seed", "2")

    assert command_line("train", *options, "--out", tmp_path / "out") == 0

    card, field = load_card(tmp_path / "out"), load_card(trained / "out")
    assert load_experiment(tmp_path / "out" / "train.yaml").seed == 2
    pictures = [each.data["training_pictures"] / each.data["scenes"]["train"] for each in (card, field)]
    assert pictures[0] >= 5 + 14
    assert 14 <= pictures[1] < 5 + 14


def test_litert_and_keras_agree(trained: Path) -> None:
    """On noise as on pictures both give the same probabilities."""
    frames = np.random.default_rng(1).integers(0, 255, (3, 384, 512, 3), dtype=np.uint8)
    network = open_litert(trained / "out" / "model.tflite")

    wanted = load_keras(trained / "out").predict(frames.astype(np.float32), verbose=0)

    for frame, row in zip(frames, wanted, strict=True):
        scores = score(network, frame)
        np.testing.assert_allclose(row, [scores.blur, scores.under, scores.over], atol=MAX_PROBABILITY_DIFFERENCE)


def test_distilled_heads_have_the_size_of_one_set_and_the_answers_of_several() -> None:
    """Rows whose first number decides are learnt either way; progress counts the one set more."""
    rng, layout = np.random.default_rng(5), Layout({"light": 6})
    features = rng.normal(size=(600, 6)).astype(np.float16)
    labels = np.repeat(features[:, :1] > 0, 3, axis=1).astype(np.float32)
    names = np.full(600, "clean")
    table = Table(features, labels, labels >= 0, names, np.zeros(600, bool), np.zeros(600, np.float32), names)
    inputs = {f"{head}_inputs": ("light",) for head in ("blur", "under", "over")}
    single = replace(SMALL, ensemble=1, epochs=15, batch=32, learning_rate=0.01, **inputs)
    steps: list[tuple[int, int]] = []

    one = fit_heads(table, layout, single, lambda _done, _total: None)
    distilled = fit_heads(
        table, layout, replace(single, ensemble=2, distill=True), lambda done, total: steps.append((done, total))
    )

    assert distilled.count_params() == one.count_params()
    assert steps == [(done, 45) for done in range(1, 46)]
    assert ((distilled.predict(features, verbose=0) > 0) == (labels > 0)).mean() > 0.95


def test_export_makes_a_pair_that_fits_again(trained: Path, tmp_path: Path) -> None:
    """A damaged LiteRT file is made again out of the Keras model."""
    shutil.copytree(trained / "out", tmp_path / "out")
    (tmp_path / "out" / "model.tflite").write_bytes(b"damaged")

    assert command_line("export", tmp_path / "out", "--precision", "float16") == 0
    assert load_card(tmp_path / "out").name == "tiny"
    open_litert(tmp_path / "out" / "model.tflite")


def test_list_shows_the_models_at_hand(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with the id that the log shows."""
    assert command_line("list", "--models", trained) == 0
    assert load_card(trained / "out").id in capsys.readouterr().out


def test_without_tensorflow_one_line_names_what_to_install(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slim install can do everything but train."""
    from culld.errors import SystemFaultError  # noqa: PLC0415 - beside what it is about

    monkeypatch.setitem(sys.modules, "tensorflow", None)

    with pytest.raises(SystemFaultError, match=r"training needs tensorflow: run `pip install 'culld\[train\]'"):
        command_line("train", "--photos", trained, "--out", trained / "never")


def test_evaluate_repeats_the_figures_of_the_card(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The pictures of a protocol are drawn by seed, so the same model gets the same figures."""
    options = ("evaluate", trained / "out", "--photos", trained, "--cache", trained / "c")

    assert command_line(*options, "--json") == 0
    output = capsys.readouterr()
    text = (trained / "out" / "figures.json").read_text("utf-8")
    card = load_card(trained / "out")
    (again,) = json.loads(text)["contenders"].values()
    assert again == {key: value for key, value in card.metrics.items() if key in again}
    assert {"milliseconds_per_frame", "largest_difference_to_keras"} == card.metrics.keys() - again.keys()
    with Image.open(trained / "out" / "curves.png") as picture:
        assert picture.width > 600
    assert text == output.out
    assert "ms for a frame on one core" in output.err

    assert command_line(*options) == 0
    assert f"exact_match: {again['linear_protocol_at_tag']['exact_match']}" in capsys.readouterr().out


def test_accuracy_writes_the_table_of_the_model_and_its_peers(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model without a card and a CleanVision that is not there are named as missing."""
    (tmp_path / "untrained").mkdir()
    shutil.copy(trained / "train.yaml", tmp_path / "untrained")
    folder = shutil.copytree(trained / "out", tmp_path / "out")

    assert accuracy([str(folder), "--photos", str(trained), "--cache", str(trained / "c")]) == 0

    table = (folder / "table.md").read_text("utf-8")
    card = load_card(folder)
    report = json.loads((folder / "figures.json").read_text("utf-8"))
    again = report["contenders"][card.id]
    assert report["model"] == card.id
    assert again == {key: value for key, value in card.metrics.items() if key in again}
    assert list(report["contenders"]) == [card.id, "plain rules", "plain rules, fitted"]
    assert f"{again['linear_protocol_at_tag']['exact_match'] * 100:.1f}" in table
    assert "plain rules, fitted: variance of the Laplacian up to" in table
    assert "untrained | not run: a recipe without a trained model" in table
    assert "CleanVision | not run: no --cleanvision PYTHON was given" in table
    with Image.open(folder / "curves.png") as picture:
        assert picture.width > 600
    assert table == capsys.readouterr().out


def test_accuracy_check_names_the_figures_that_are_not_the_written_ones(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A peer that was measured only once is named and is no problem."""
    folder = shutil.copytree(trained / "out", tmp_path / "out")
    (folder / "figures.json").unlink(missing_ok=True)
    options = [str(folder), "--photos", str(trained), "--cache", str(trained / "c"), "--beside", str(trained / "out")]

    with pytest.raises(ConfigError, match="no figures to compare with"):
        accuracy([*options, "--check"])

    assert accuracy(options) == 0
    report = json.loads((folder / "figures.json").read_text("utf-8"))
    report["contenders"]["somebody"] = report["contenders"][report["model"]]
    write_report(folder, report)
    capsys.readouterr()
    assert accuracy([*options, "--check"]) == 0
    assert "not compared, as it was not measured both times: somebody" in capsys.readouterr().err

    report["contenders"][report["model"]]["linear_protocol_at_tag"]["exact_match"] += 0.5
    (folder / "figures.json").write_text(json.dumps(report), "utf-8")
    assert accuracy([*options, "--check"]) == 1
    complaints = capsys.readouterr().err
    assert f"{report['model']}: linear_protocol_at_tag, exact_match: was" in complaints
    assert "table.md does not show what figures.json says" in complaints


def write_report(folder: Path, report: dict[str, Any]) -> None:
    """Write the report that `accuracy` would write."""
    (folder / "figures.json").write_text(json.dumps(report), "utf-8")
    (folder / "table.md").write_text(results_page(report), "utf-8")
