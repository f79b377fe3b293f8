"""A model for frames of another size than culld decodes is refused at the start and by the doctor, with a message."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from culld.app.engine_pool import open_pool
from culld.cli import main
from culld.config import load_config
from culld.errors import SystemFaultError
from culld.inference.card import load_card, model_digest, save_card

SHIPPED = Path(__file__).parents[2] / "models" / "defects"
CARD = "takes frames of 96x64 pixels, but this culld judges photos at 512x384"
FILE = r"the model takes uint8 (64, 96, 3) as `frame`, but culld needs uint8 (384, 512, 3)"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LiteRT file for frames of 96x64."""
    pytest.importorskip("tensorflow", reason="needs the extra `train`")
    import keras
    import tensorflow as tf

    path = tmp_path_factory.mktemp("small") / "model.tflite"
    frame = keras.Input(batch_shape=(1, 64, 96, 3), dtype="uint8", name="frame")
    mean = keras.layers.GlobalAveragePooling2D()(keras.ops.cast(frame, "float32") / 255)
    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(keras.Model(frame, mean)).convert())
    return path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration that names a model folder of its own, with the shipped card and file."""
    (tmp_path / "in").mkdir()
    (tmp_path / "model").mkdir()
    for name in ("model.tflite", "card.json"):
        shutil.copy(SHIPPED / name, tmp_path / "model")
    file = tmp_path / "config.yaml"
    file.write_text("watch: [{path: in}]\nquarantine: q\nstate: s\nmodel: {path: model}\nworkers: 1\n")
    return file


def check_refused(config: Path, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Both the start and the doctor give this reason."""
    with pytest.raises(SystemFaultError) as caught, open_pool(load_config(config, {})):
        pass

    assert reason in str(caught.value)
    assert main(["doctor", "--json", "--config", str(config)]) == 3
    checks = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [reason in check["what"] for check in checks if check["name"] == "model"] == [True]


def test_a_card_of_another_size_is_refused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever its file takes."""
    folder = config.parent / "model"
    save_card(folder, replace(load_card(folder), width=96, height=64))

    check_refused(config, CARD, capsys)


@pytest.mark.slow
@pytest.mark.timeout(360)
@pytest.mark.filterwarnings("ignore")  # TensorFlow's own
@pytest.mark.parametrize(("width", "height", "reason"), [(512, 384, FILE), (96, 64, CARD)])
def test_a_file_of_another_size_is_refused(
    small: Path, config: Path, width: int, height: int, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether the size on its card is right or wrong."""
    folder = config.parent / "model"
    shutil.copy(small, folder / "model.tflite")
    card = replace(load_card(SHIPPED), digest=model_digest(folder), width=width, height=height)
    save_card(folder, card)

    check_refused(config, reason, capsys)
