"""Evaluation of a model whose scores are known, on drawn scenes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from culld.errors import ConfigError
from culld.records import Threshold
from culld.training.augment import Augmentation
from culld.training.dataset import make_sample
from culld.training.evaluate import evaluate_model, milliseconds, network_scorer, predict, score_protocols
from culld.training.experiment import Experiment
from culld.training.report import Predictions
from harness.photographs import LEVELS, SCENES, FakeDecoder, brightness, run_context

UNTOUCHED = Augmentation()
SCORE = network_scorer(lambda: brightness, lambda *_: None)
NIGHT_ONLY = [Threshold(0.5, None), Threshold(0.9, None), Threshold(0.9, None)]


def predictions(seed: int = 1, real_exposure: Path | None = None) -> dict[str, Predictions]:
    """The predictions of `brightness` on the scenes."""
    return predict(SCORE, SCENES, seed, run_context(real_exposure=real_exposure))


def test_every_scene_is_decoded_once_for_all_protocols() -> None:
    """And the scores come back in the order of each protocol."""
    decoder, rng = FakeDecoder(), np.random.default_rng(0)
    clean = [make_sample(scene, "clean", (), UNTOUCHED, rng) for scene in SCENES]

    found = score_protocols(SCORE, "test", {"forth": clean, "back": clean[::-1]}, run_context(decoder))

    assert sorted(decoder.decoded) == sorted(LEVELS)
    expected = [level / 255 for level in LEVELS.values()]
    np.testing.assert_allclose(expected, found["forth"].scores[:, 2], atol=1e-6)
    np.testing.assert_allclose(expected[::-1], found["back"].scores[:, 2], atol=1e-6)
    assert found["back"].tags[-1] == frozenset({"night_lowkey"})


def test_the_figures_of_a_known_network_come_out_as_known() -> None:
    """Night is 92 % dark: tagged at 0.9, while the other frames are not."""
    found, _ = evaluate_model(Path("model"), SCENES, NIGHT_ONLY, Experiment(), run_context())

    assert found["scenes"] == 3
    assert found["clean"]["night_lowkey"]["tagged"] == {"blur": 0, "under": 1, "over": 0, "any": 1}
    assert found["clean"]["ordinary"]["tagged"]["any"] == 0
    assert found["strong_blur_found"]["all"]["tagged"] == 0.0
    assert found["linear_protocol_at_tag"]["blur"]["false_negative"] == 3
    assert found["seed_protocol_at_0.5"]["draws"] == 3
    assert "rejected" not in found["clean"]["all"]


def test_the_same_seed_gives_the_same_scores() -> None:
    """On two threads as well."""
    one, other = predictions(5), predictions(5)

    for name, found in one.items():
        np.testing.assert_array_equal(found.scores, other[name].scores)


def test_each_thread_has_a_network_of_its_own_and_progress_is_reported() -> None:
    """A LiteRT interpreter must not be shared; the last report says that every picture is done."""
    opened: list[int] = []
    told: list[tuple[str, int, int]] = []

    def open_network() -> object:
        opened.append(1)
        return brightness

    score = network_scorer(open_network, lambda *words: told.append(words))
    samples = [make_sample(scene, "clean", (), UNTOUCHED, np.random.default_rng(0)) for scene in SCENES]
    score_protocols(score, "test", {"all": samples}, run_context())

    assert 1 <= len(opened) <= 2
    assert told[-1] == ("test", 3, 3)


def test_real_photos_are_labelled_by_their_index(tmp_path: Path) -> None:
    """A mild case has no defect."""
    (tmp_path / "index.csv").write_text("file,label\ndark.jpg,under\ngrey.jpg,pair_darker\nbright.jpg,over\n", "utf-8")

    real = predictions(real_exposure=tmp_path)["real"]

    assert real.labels.tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert real.groups.tolist() == ["under", "pair_darker", "over"]


def test_a_folder_without_an_index_is_a_clear_error(tmp_path: Path) -> None:
    """It names the file and the columns."""
    with pytest.raises(ConfigError, match=r"index\.csv: needs the columns file and label"):
        predictions(real_exposure=tmp_path)


def test_the_first_run_is_not_timed() -> None:
    """It warms up; every frame after it is run once."""
    seen: list[int] = []

    def run(frame: np.ndarray) -> np.ndarray:
        seen.append(int(frame[0, 0, 0]))
        return brightness(frame)

    assert milliseconds(run, [np.full((2, 2, 3), level, np.uint8) for level in (1, 2)]) >= 0
    assert seen == [1, 1, 2]
