"""The training of the tone network: wrong exposures of drawn scenes, and a few steps."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from culld.errors import ConfigError
from culld.training.tone.experiment import ToneExperiment, load_tone
from culld.training.tone.exposures import batch_of, exposed, shot
from harness import scenes

EXPERIMENT = ToneExperiment(steps=80, batch=8, ema=0.9, learning_rate=5e-3, channels=(8, 8, 8, 8), levels=8, width=16)
MODEL = Path(__file__).resolve().parents[2] / "models" / "restore-exposure"


def photos(count: int = 6) -> list[NDArray[np.uint8]]:
    """Landscapes in the size that is trained on."""
    return [np.asarray(scenes.picture(scenes.Scene(seed, size=(128, 96)))) for seed in range(count)]


def test_a_batch_depends_on_its_number_alone() -> None:
    """So that a run repeats."""
    first, again, second = (batch_of(photos(), EXPERIMENT, step) for step in (1, 1, 2))

    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], second[0])
    assert first[0].shape == first[1].shape == (8, 96, 128, 3)
    assert first[0].max() > 1 >= first[1].max()


@pytest.mark.parametrize(("kind", "sign"), [("under", -1), ("over", 1)])
def test_a_kind_of_wrong_exposure_is_darker_or_brighter(kind: str, sign: int) -> None:
    """By a stop and a half at the least."""
    alike = replace(EXPERIMENT, clean=0.0, hard_light=0.0, **{"under": 0.0, "over": 0.0, kind: 1.0})
    rng = np.random.default_rng(1)

    pairs = [exposed(photo, alike, rng) for photo in photos()]

    assert all(sign * (wrong.mean() / 255 - right.mean()) > 0.05 for wrong, right in pairs)


def test_a_clean_picture_is_its_own_target() -> None:
    """So that the network learns to do nothing."""
    alike = replace(EXPERIMENT, clean=1.0, under=0.0, over=0.0)

    wrong, right = exposed(photos(1)[0], alike, np.random.default_rng(2))

    assert np.abs(wrong / 255 - right).max() <= 0.5 / 255 + 1e-6


def test_lamps_stay_bright_in_a_dark_exposure_in_hard_light() -> None:
    """White of the file may have been much brighter."""
    half = np.full((96, 128, 3), 90, np.uint8)
    half[:, :64] = 255

    wrong = {is_hard: shot(half, -2.0, np.random.default_rng(3), is_hard=is_hard)[0] for is_hard in (False, True)}

    assert wrong[True][:, :64].max() > wrong[False][:, :64].max() + 20


def test_a_camera_darkens_bright_tones_less_and_dark_tones_more_than_srgb_does() -> None:
    """Its response is steeper in dark tones: 2 EV less take a light grey to 108, a dark one to 5."""
    grey = np.full((96, 128, 3), 32, np.uint8)
    grey[:, :64] = 224

    camera, srgb = (
        shot(grey, -2.0, np.random.default_rng(4), is_hard=False, noise=0.0, by_camera=by_camera)[0]
        for by_camera in (True, False)
    )

    assert [int(camera[0, column, 0]) for column in (0, 127)] == [108, 5]
    assert [int(srgb[0, column, 0]) for column in (0, 127)] == [120, 12]


def test_the_experiment_that_ships_is_read_and_a_wrong_key_is_named(tmp_path: Path) -> None:
    """With all that is wrong."""
    file = tmp_path / "train.yaml"
    file.write_text("name: restore-exposure\nstrength: 2\n")

    with pytest.raises(ConfigError, match="strength: no such key"):
        load_tone(file)
    assert load_tone(MODEL / "train.yaml").recipe == "tone"


@pytest.mark.slow
def test_a_few_steps_bring_wrong_exposures_nearer_and_the_file_gives_the_same_curve(tmp_path: Path) -> None:
    """Half of the difference of dark pictures goes, and LiteRT predicts what Keras does."""
    pytest.importorskip("tensorflow")
    from culld.enhance.exposure import SIZE, open_tone_network  # noqa: PLC0415 - training is an extra
    from culld.training.export import write_litert  # noqa: PLC0415
    from culld.training.tone.measure import errors  # noqa: PLC0415
    from culld.training.tone.network import for_thumbnails  # noqa: PLC0415
    from culld.training.tone.train import fit_tone  # noqa: PLC0415

    seen: list[int] = []
    core = fit_tone(photos(), EXPERIMENT, lambda _phase, done, _total: seen.append(done))
    found = errors(core, photos(), EXPERIMENT)
    write_litert(for_thumbnails(core), tmp_path / "model.tflite", size=SIZE)
    thumbnail = np.repeat(np.repeat(photos(1)[0], 2, axis=0), 2, axis=1)
    curve = open_tone_network(tmp_path / "model.tflite").run({"thumbnail": thumbnail[None]})["curve"]

    assert seen[-1] == EXPERIMENT.steps
    assert found["under"]["after"] < 0.7 * found["under"]["before"]
    np.testing.assert_allclose(core.predict(photos(1)[0][None].astype(np.float32), verbose=0), curve, atol=1e-3)
    json.dumps(found)
