"""Contenders score the same pictures, each made once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from bench.accuracy.baselines import Classifier
from bench.accuracy.contenders import Contenders
from culld.training.augment import Augmentation
from culld.training.dataset import make_sample
from culld.training.distortions import Distortion, Kind
from culld.training.evaluate import score_protocols
from harness.photographs import SCENES, brightness, run_context

UNTOUCHED = Augmentation()
EYE = Classifier("eye", lambda: brightness, (0.5, 0.9, 0.9))


@dataclass
class FakeBatch:
    """Scores as `brightness` does."""

    frames: dict[int, np.ndarray] = field(default_factory=dict)

    def add(self, number: int, frame: np.ndarray) -> None:
        """Keep it."""
        self.frames[number] = frame

    def judged(self, count: int) -> np.ndarray:
        """One row for each."""
        assert sorted(self.frames) == list(range(count))
        return np.array([brightness(self.frames[number]) for number in range(count)], np.float32)


@dataclass
class FakeBatches:
    """Gives batches and keeps them."""

    given: list[FakeBatch] = field(default_factory=list)

    @contextlib.contextmanager
    def gather(self) -> Iterator[FakeBatch]:
        """A new batch."""
        self.given.append(FakeBatch())
        yield self.given[-1]


def test_an_untouched_picture_is_made_once_and_a_drawn_one_each_time() -> None:
    """Equal pictures need one score; those left to chance are different pictures."""
    batches, rng = FakeBatches(), np.random.default_rng(0)
    twice = [make_sample(SCENES[1], "clean", (), UNTOUCHED, rng) for _ in range(2)]
    drawn = [make_sample(SCENES[1], "x", (Distortion(Kind.EXPOSURE, -2.0),), UNTOUCHED, rng) for _ in range(2)]
    score = Contenders((EYE,), {"batch": batches.gather}).scorer(lambda *_: None)

    found = score_protocols(score, "test", {"all": [*twice, *drawn]}, run_context())["all"]

    assert len(batches.given[0].frames) == 3
    assert found.scores.shape == (4, 2, 3)
    assert found.scores[0].tolist() == found.scores[1].tolist()


def test_a_batch_gets_the_same_pixels_as_a_classifier() -> None:
    """Both score by the same rule, so their scores are equal in every protocol."""
    found = Contenders((EYE,), {"batch": FakeBatches().gather}).predict(SCENES, 1, run_context())

    assert list(found) == ["eye", "batch"]
    for name, predictions in found["eye"].items():
        np.testing.assert_array_equal(predictions.scores, found["batch"][name].scores, err_msg=name)


def test_classifiers_keep_their_places() -> None:
    """The second one scores the opposite of the first."""
    opposite = Classifier("opposite", lambda: lambda frame: 1 - brightness(frame))

    found = Contenders((EYE, opposite), {}).predict(SCENES, 1, run_context())

    np.testing.assert_allclose(1 - found["eye"]["linear"].scores, found["opposite"]["linear"].scores, atol=1e-6)


def test_progress_is_reported_to_the_end() -> None:
    """The last report says that every picture is done."""
    told: list[tuple[str, int, int]] = []
    samples = [make_sample(scene, "clean", (), UNTOUCHED, np.random.default_rng(0)) for scene in SCENES]
    score = Contenders((EYE,), {}).scorer(lambda *words: told.append(words))

    score_protocols(score, "test", {"all": samples}, run_context())

    assert told[-1] == ("test", 3, 3)
