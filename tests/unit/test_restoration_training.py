"""A few steps of the training of the restoration network, and the files that come of it."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from culld.cli import model_restoration
from culld.enhance.gain import load_rule
from culld.enhance.restore import open_restoration, restore
from culld.enhance.tiles import MARGIN
from culld.errors import ConfigError, SystemFaultError
from culld.inference.card import load_card
from culld.inference.litert import LiteRtNetwork
from culld.training.restoration.experiment import RestorationExperiment
from culld.training.restoration.export import averaged, write_restoration
from culld.training.restoration.network import build_restoration
from culld.training.restoration.train import train_restoration
from harness import factories

pytest.importorskip("tensorflow", reason="needs TensorFlow")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's own
]

SMALL = RestorationExperiment(channels=(4, 8), blocks=(1, 1), batch=2, steps=500, ema=0.9)


def photos() -> list[np.ndarray]:
    """Three pictures."""
    return [np.asarray(factories.picture(seed, (320, 280))) for seed in range(3)]


def seeing(channels: tuple[int, int] = (2, 2)) -> object:
    """The network with the shipped blocks, in which every layer passes everything on."""
    model = build_restoration(channels, (2, 4))
    rng = np.random.default_rng(0)
    for layer in model.layers:
        kernels = [
            rng.uniform(0.05, 0.3, each.shape) if each.ndim > 1 else each * 0 + 0.1 for each in layer.get_weights()
        ]
        layer.set_weights(kernels)
    return model


def test_an_untrained_network_changes_nothing() -> None:
    """Its last layer starts at zero."""
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 32, 48, 3)).astype(np.float32)

    found = np.asarray(build_restoration((4, 8), (1, 1))(pixels))

    np.testing.assert_allclose(found, pixels, atol=1e-4)


@pytest.mark.parametrize("place", [128, 129, 130, 131])
def test_the_network_sees_no_further_than_the_margin_of_tiles(place: int) -> None:
    """The gradient of a pixel reaches up to 55 px, wherever it lies on the grid of the layers."""
    import tensorflow as tf

    model = seeing()
    pixels = tf.Variable(np.full((1, 256, 256, 3), 200.0, np.float32))
    with tf.GradientTape() as tape:
        repaired = model(pixels)[0, place, 128, 0]  # type: ignore[operator]
    reached = np.nonzero(np.abs(tape.gradient(repaired, pixels).numpy()[0]).sum(axis=(1, 2)))[0]

    assert reached.max() - place <= MARGIN
    assert place - reached.min() <= MARGIN
    assert reached.max() - place > 40


def test_tiles_give_what_the_whole_photo_gives(tmp_path: Path) -> None:
    """Within one level, with the real network, for a photo whose sides are no multiples of 4."""
    model = build_restoration((4, 8), (2, 4))
    rng = np.random.default_rng(1)
    for layer in model.layers:
        layer.set_weights([rng.normal(0, 0.15, each.shape) for each in layer.get_weights()])
    file = tmp_path / "model.tflite"
    write_restoration(model, file, 160)
    photo = np.asarray(factories.picture(3, (331, 250)))
    padded = np.pad(photo, [(0, -photo.shape[0] % 4), (0, -photo.shape[1] % 4), (0, 0)], mode="edge")

    tiled = restore(photo, LiteRtNetwork(file))
    whole = np.asarray(model(padded[None].astype(np.float32)))[0, : photo.shape[0], : photo.shape[1]]

    assert np.abs(tiled - np.clip(whole, 0, 255)).max() < 1.5
    assert np.abs(tiled.astype(int) - photo).mean() > 1


def test_a_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    """With the step after it, and the averaged weights at the end are those that its checkpoint gives as well."""
    seen: list[int] = []
    first = replace(SMALL, steps=250)

    train_restoration(photos(), first, tmp_path, lambda step, _loss: seen.append(step))
    model = train_restoration(photos(), SMALL, tmp_path, lambda step, _loss: seen.append(step))

    assert seen == [250, 500]
    assert json.loads((tmp_path / "checkpoint.json").read_text("utf-8")) == {"steps": 500}
    again = averaged(tmp_path / "checkpoint.keras")
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    """A file of something else, and a side that the layers cannot halve twice."""
    (tmp_path / "checkpoint.keras").write_text("no model", "utf-8")

    with pytest.raises(SystemFaultError, match="checkpoint"):
        averaged(tmp_path / "checkpoint.keras")
    with pytest.raises(ConfigError, match="side"):
        write_restoration(build_restoration((4, 8), (1, 1)), tmp_path / "model.tflite", 161)


def test_the_command_writes_a_model_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trained, exported, with a rule of the gain and figures in its card; the network repairs a photo."""
    folder = tmp_path / "photos"
    folder.mkdir()
    names = [f"{number}.jpg" for number in range(12)]
    for number, name in enumerate(names):
        factories.picture(number, (400, 400)).save(folder / name, quality=95)
    lines = ["file,width,height,tags,source,licence", *(f"{name},400,400,,drawn,CC0" for name in names)]
    (folder / "index.csv").write_text("\n".join(lines) + "\n", "utf-8")
    recipe = tmp_path / "train.yaml"
    recipe.write_text(
        "recipe: restoration\nchannels: [4, 8]\nblocks: [1, 1]\nbatch: 2\nsteps: 250\ntest: 0.3\ncalibration: 0.3\n",
        "utf-8",
    )
    out = tmp_path / "model"

    code = model_restoration.train(
        argparse.Namespace(experiment=recipe, photos=folder, cache=tmp_path / "cache", out=out, seed=None)
    )

    assert code == 0
    assert "restore-jpeg-1@" in capsys.readouterr().out
    assert "q10" in load_card(out).metrics
    assert load_rule(out).margin > 0
    photo = np.asarray(factories.picture(1, (90, 70)))
    assert restore(photo, open_restoration(out)).shape == photo.shape
