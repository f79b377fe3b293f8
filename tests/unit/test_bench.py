"""Everybody looks at the same pictures: drawn scenes, and contenders whose answers are known."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from culld.errors import ConfigError
from culld.training.baselines import Classifier
from culld.training.bench import Bench
from culld.training.defects.augment import Augmentation
from culld.training.defects.dataset import Scene, make_sample
from culld.training.defects.distortions import Distortion, Kind
from culld.training.evaluate import milliseconds, predict
from culld.training.figures import evaluation_figures

SCENES = [
    Scene("dark.jpg", frozenset({"night_lowkey"}), "drawn", "CC0"),
    Scene("grey.jpg", frozenset(), "drawn", "CC0"),
    Scene("bright.jpg", frozenset(), "drawn", "CC0"),
]
LEVELS = {"dark.jpg": 20, "grey.jpg": 110, "bright.jpg": 200}
UNTOUCHED = Augmentation()


@dataclass
class Darkroom:
    """Draws the photographs and counts how often it was asked."""

    decoded: list[str] = field(default_factory=list)

    def decode(self, path: Path) -> np.ndarray:
        """A grey paper whose level its name says."""
        self.decoded.append(path.name)
        return np.full((24, 32, 3), LEVELS[path.name], np.uint8)


@dataclass
class Pile:
    """Judges by the brightness of the corner, as `brightness` does."""

    frames: dict[int, np.ndarray] = field(default_factory=dict)

    def add(self, number: int, frame: np.ndarray) -> None:
        """Keep it."""
        self.frames[number] = frame

    def judged(self, count: int) -> np.ndarray:
        """One row for each."""
        assert sorted(self.frames) == list(range(count))
        return np.array([brightness(self.frames[number]) for number in range(count)], np.float32)


@dataclass
class Gatherer:
    """Hands out piles and remembers them."""

    piles: list[Pile] = field(default_factory=list)

    @contextlib.contextmanager
    def gather(self) -> Iterator[Pile]:
        """A fresh pile."""
        self.piles.append(Pile())
        yield self.piles[-1]


def brightness(frame: np.ndarray) -> np.ndarray:
    """Dark is under, bright is over, and nothing is ever blurred."""
    level = float(frame[0, 0, 0]) / 255
    return np.array([0.0, 1 - level, level], np.float32)


def bench(darkroom: Darkroom, gatherer: Gatherer | None = None) -> Bench:
    """A bench with one who looks and, if wanted, one who gathers."""
    return Bench(
        Path("photos"),
        darkroom.decode,
        lambda pixels, _quality: pixels,
        (Classifier("eye", lambda: brightness, (0.5, 0.9, 0.9)),),
        lambda *_: None,
        {"pile": gatherer.gather} if gatherer else {},
    )


def test_every_scene_is_decoded_once_for_all_protocols() -> None:
    """And the answers come back in the order of each protocol."""
    darkroom, rng = Darkroom(), np.random.default_rng(0)
    clean = [make_sample(scene, "clean", (), UNTOUCHED, rng) for scene in SCENES]

    found = bench(darkroom).score("test", {"forth": clean, "back": clean[::-1]})

    assert sorted(darkroom.decoded) == sorted(LEVELS)
    expected = [level / 255 for level in LEVELS.values()]
    np.testing.assert_allclose(expected, found["forth"].scores["eye"][:, 2], atol=1e-6)
    np.testing.assert_allclose(expected[::-1], found["back"].scores["eye"][:, 2], atol=1e-6)
    assert found["back"].tags[-1] == frozenset({"night_lowkey"})


def test_an_untouched_picture_is_made_once_and_a_drawn_one_each_time() -> None:
    """Equal pictures need one look; those left to chance are different pictures."""
    gatherer, rng = Gatherer(), np.random.default_rng(0)
    twice = [make_sample(SCENES[1], "clean", (), UNTOUCHED, rng) for _ in range(2)]
    drawn = [make_sample(SCENES[1], "x", (Distortion(Kind.EXPOSURE, -2.0),), UNTOUCHED, rng) for _ in range(2)]

    found = bench(Darkroom(), gatherer).score("test", {"all": [*twice, *drawn]})["all"]

    assert len(gatherer.piles[0].frames) == 3
    assert len(found.labels) == 4
    assert found.scores["eye"][0].tolist() == found.scores["eye"][1].tolist()


def test_those_who_gather_see_the_same_pixels() -> None:
    """The answer of the pile is the answer of the eye."""
    found = predict(bench(Darkroom(), Gatherer()), SCENES, 1, None)

    for name, answers in found.items():
        np.testing.assert_array_equal(answers.scores["eye"], answers.scores["pile"], err_msg=name)


def test_the_figures_of_a_known_eye_come_out_as_known() -> None:
    """Night is 92 % dark: tagged at 0.9, while the other papers are not."""
    found = evaluation_figures(
        predict(bench(Darkroom()), SCENES, 1, None), "eye", (0.5, 0.9, 0.9), (None, None, None), None
    )

    assert found["scenes"] == 3
    assert found["clean"]["night_lowkey"]["tagged"] == {"blur": 0, "under": 1, "over": 0, "any": 1}
    assert found["clean"]["ordinary"]["tagged"]["any"] == 0
    assert found["strong_blur_found"]["all"]["tagged"] == 0.0
    assert found["linear_protocol_at_tag"]["blur"]["false_negative"] == 3
    assert found["seed_protocol_at_0.5"]["draws"] == 3


def test_the_same_seed_gives_the_same_answers() -> None:
    """On two threads as well."""
    one, other = (predict(bench(Darkroom()), SCENES, 5, None) for _ in range(2))

    for name, answers in one.items():
        np.testing.assert_array_equal(answers.scores["eye"], other[name].scores["eye"])


def test_real_photos_are_labelled_by_their_index(tmp_path: Path) -> None:
    """A mild case has no defect."""
    (tmp_path / "index.csv").write_text("file,label\ndark.jpg,under\ngrey.jpg,pair_darker\nbright.jpg,over\n", "utf-8")

    real = predict(bench(Darkroom()), SCENES, 1, tmp_path)["real"]

    assert real.labels.tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert real.groups.tolist() == ["under", "pair_darker", "over"]


def test_a_folder_without_an_index_is_a_clear_error(tmp_path: Path) -> None:
    """It says which file and which columns."""
    with pytest.raises(ConfigError, match=r"index\.csv: needs the columns file and label"):
        predict(bench(Darkroom()), SCENES, 1, tmp_path)


def test_the_first_look_is_not_timed() -> None:
    """It warms up; every frame after it is looked at once."""
    seen: list[int] = []

    def look(frame: np.ndarray) -> np.ndarray:
        seen.append(int(frame[0, 0, 0]))
        return brightness(frame)

    assert milliseconds(look, [np.full((2, 2, 3), level, np.uint8) for level in (1, 2)]) >= 0
    assert seen == [1, 1, 2]
