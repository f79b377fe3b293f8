"""The page that judges each source by heads that did not see it."""

from __future__ import annotations

import numpy as np

from bench.accuracy.leave_out import FOLDS, Judged, folds, page_lines
from culld.training.dataset import Scene
from culld.training.defects.features import Table
from culld.training.experiment import Experiment

SCENES = [Scene(f"{source}-{number}.jpg", frozenset(), source, "CC0") for source in "ab" for number in range(3)]


def judged(tagged: set[str]) -> Judged:
    """Three pictures of each scene: as it is, a view of it, and blurred; `tagged` scenes are called blurred."""
    files = np.array([scene.file for scene in SCENES for _ in range(3)])
    labels = np.tile(np.array([[0, 0, 0], [0, 0, 0], [1, 0, 0]], np.float32), (len(SCENES), 1))
    count = len(files)
    table = Table(
        np.zeros((count, 1), np.float16), labels, np.ones((count, 3), bool), np.full(count, "clean"),
        np.zeros(count, bool), np.zeros(count, np.float32), files,
    )  # fmt: skip
    chances = labels * 0.9 + 0.01
    chances[[file in tagged for file in files], 0] = 0.9
    return Judged(table, chances.astype(np.float32))


def test_each_source_is_in_one_fold_and_the_folds_are_alike_in_size() -> None:
    """The largest source has a fold of its own where it is larger than the others together."""
    sources = {
        f"{source}{number}": source for source, count in (("x", 50), ("y", 5), ("z", 5)) for number in range(count)
    }

    dealt = folds(sources)

    assert len(dealt) <= FOLDS
    assert sorted(source for fold in dealt for source in fold) == ["x", "y", "z"]
    assert {"x"} in dealt


def test_a_photograph_is_counted_once_however_many_pictures_are_made_of_it() -> None:
    """One clean photograph of three of source a is called blurred."""
    page = "\n".join(page_lines(judged({"a-1.jpg"}), SCENES, Experiment()))

    assert "| a (3) | 1 = 33.3 % (6-79) | 0 = 0.0 % (0-56) | 0 = 0.0 % (0-56) | 0 | 0 | 0 |" in page
    assert "| b (3) | 0 = 0.0 % (0-56) |" in page
    assert "| all ordinary (6) | 1 = 16.7 %" in page


def test_defects_found_are_counted_by_picture() -> None:
    """All three blurred pictures of each source are found, and no picture here is under-exposed."""
    page = "\n".join(page_lines(judged(set()), SCENES, Experiment()))

    assert "| a | 3 = 100.0 % (44-100) | 0 | 0 |" in page
