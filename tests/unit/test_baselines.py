"""Classifiers without a network."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.accuracy.baselines import LaplacianBaseline, best_threshold, fitted_baseline, laplacian_variance

SCORES = arrays(np.float64, st.integers(2, 40), elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]))


def test_the_laplacian_of_a_chequerboard_is_four_times_its_step() -> None:
    """Every inner pixel differs from its four neighbours by the same step, up and down in turn."""
    board = ((np.indices((8, 8)).sum(axis=0) % 2) * 10).astype(np.float32)

    assert pytest.approx(40.0**2) == laplacian_variance(board)


def test_plain_rules_call_grey_paper_blurred_and_black_dark() -> None:
    """Their thresholds lie at a half."""
    look = LaplacianBaseline().classifier("rules").open()

    black, white = (look(np.full((32, 32, 3), level, np.uint8)) for level in (0, 255))

    assert (black >= 0.5).tolist() == [True, True, False]
    assert (white >= 0.5).tolist() == [True, False, True]


def test_fitted_baseline_part_what_can_be_parted() -> None:
    """Sharpness 3 and less is blurred here, brightness 0.1 dark, 0.9 bright."""
    seen = np.array([[1, 0.5], [3, 0.5], [9, 0.5], [9, 0.1], [9, 0.9], [20, 0.3]], np.float32)
    labels = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], np.float32)

    rules = fitted_baseline(seen, labels)

    assert pytest.approx((3, 0.1, 0.9)) == (rules.sharpness, rules.dark, rules.bright)
    assert str(rules) == "Laplacian up to 3, brightness up to 0.10 or from 0.90"


@given(SCORES, st.randoms(use_true_random=False))
def test_no_threshold_beats_the_best_one(scores: np.ndarray, chance: random.Random) -> None:
    """By F1, among all scores there are."""
    truth = np.array([True, *(chance.random() < 0.5 for _ in scores[1:])])

    def f1(threshold: float) -> float:
        found = scores >= threshold
        return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))

    assert f1(best_threshold(scores, truth)) == pytest.approx(max(f1(threshold) for threshold in scores))


def test_where_nothing_is_defective_nothing_is_flagged() -> None:
    """The threshold is out of reach."""
    assert best_threshold(np.array([0.2, 0.9]), np.array([False, False])) == float("inf")
