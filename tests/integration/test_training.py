"""The whole training wing on a dozen drawn pictures: it runs, and its two models agree."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from culld.cli import model as command
from culld.model.card import load_card
from culld.model.engines import LiteRtEngine
from culld.training.experiment import Experiment, as_yaml
from culld.training.export import PARITY, load_keras

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's own
]
SMALL = replace(Experiment(), name="tiny", epochs=2, pooling=("mean", "deviation", "light"), test=0.3, calibration=0.2)


def draw_photos(folder: Path, count: int) -> None:
    """Pictures of coloured bricks, with the index that training reads."""
    rng = np.random.default_rng(0)
    lines = ["file,width,height,tags,source,licence"]
    for number in range(count):
        bricks = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8).repeat(10, axis=0).repeat(10, axis=1)
        Image.fromarray(bricks).save(folder / f"{number}.jpg")
        lines.append(f"{number}.jpg,160,120,{'bokeh' if number == 1 else ''},drawn,CC0")
    (folder / "index.csv").write_text("\n".join(lines) + "\n", "utf-8")


def command_line(*words: str | Path) -> int:
    """Run `culld model` with these words."""
    import argparse  # noqa: PLC0415 - only here

    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    arguments = parser.parse_args(["model", *map(str, words)])
    return int(arguments.run(arguments))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained for a handful of steps on a random trunk."""
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


def test_litert_and_keras_agree(trained: Path) -> None:
    """On noise as on pictures both give the same probabilities."""
    frames = np.random.default_rng(1).integers(0, 255, (3, 384, 512, 3), dtype=np.uint8)
    engine = LiteRtEngine(trained / "out" / "model.tflite")

    wanted = load_keras(trained / "out").predict(frames.astype(np.float32), verbose=0)

    for frame, row in zip(frames, wanted, strict=True):
        scores = engine.score(frame)
        np.testing.assert_allclose(row, [scores.blur, scores.under, scores.over], atol=PARITY)


def test_export_makes_a_pair_that_fits_again(trained: Path, tmp_path: Path) -> None:
    """A damaged LiteRT file is made again out of the Keras model."""
    shutil.copytree(trained / "out", tmp_path / "out")
    (tmp_path / "out" / "model.tflite").write_bytes(b"damaged")

    assert command_line("export", tmp_path / "out") == 0
    assert load_card(tmp_path / "out").name == "tiny"
    LiteRtEngine(tmp_path / "out" / "model.tflite")


def test_list_shows_the_models_at_hand(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with the id that the log shows."""
    assert command_line("list", "--models", trained) == 0
    assert load_card(trained / "out").id in capsys.readouterr().out


def test_without_tensorflow_one_line_says_what_to_install(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slim install can do everything but train."""
    from culld.errors import SystemFaultError  # noqa: PLC0415 - beside what it is about

    monkeypatch.setitem(sys.modules, "tensorflow", None)

    with pytest.raises(SystemFaultError, match=r"pip install 'culld\[tensorflow\]'"):
        command_line("train", "--photos", trained, "--out", trained / "never")


def test_evaluate_repeats_the_figures_of_the_card(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The pictures of a protocol are drawn by seed, so the same model gets the same figures."""
    words = ("evaluate", trained / "out", "--photos", trained, "--cache", trained / "c")

    assert command_line(*words) == 0
    shown = capsys.readouterr().out
    card = load_card(trained / "out")
    assert card.id in shown
    assert f"exact_match: {card.metrics['linear_protocol_at_tag']['exact_match']}" in shown
