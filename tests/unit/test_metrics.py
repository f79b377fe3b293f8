"""Metrics of scores."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from culld.training.metrics import (
    auc,
    calibration_error,
    flagged,
    precision_recall,
    roc,
    summary,
)

SCORES = arrays(np.float64, st.integers(2, 40), elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]))


def test_the_summary_counts_labels_and_whole_pictures() -> None:
    """One wrong label out of six leaves five sixths, and one picture of two."""
    scores = np.array([[0.9, 0.1, 0.1], [0.2, 0.1, 0.8]], np.float32)
    labels = np.array([[1, 0, 0], [0, 0, 0]], np.float32)

    found = summary(scores, labels, (0.5, 0.5, 0.5))

    assert pytest.approx(5 / 6, abs=1e-4) == found["micro_accuracy"]
    assert found["exact_match"] == 0.5
    assert found["blur"]["f1"] == 1.0
    assert found["over"]["precision"] == 0.0


def test_a_missed_defect_costs_recall_only() -> None:
    """Precision is about what was flagged, recall about what is there."""
    scores = np.array([[0.9, 0, 0], [0.1, 0, 0]], np.float32)
    labels = np.array([[1, 0, 0], [1, 0, 0]], np.float32)

    blur = summary(scores, labels, (0.5, 0.5, 0.5))["blur"]

    assert blur["precision"] == 1.0
    assert blur["recall"] == 0.5
    assert pytest.approx(2 / 3, abs=1e-4) == blur["f1"]


def test_a_threshold_that_is_never_flags_nothing() -> None:
    """`reject: never` is no number that a score could reach."""
    scores = np.array([[1.0, 1.0, 0.0], [0.2, 1.0, 0.0]], np.float32)

    assert flagged(scores, (0.97, None, 0.97)) == {"blur": 1, "under": 0, "over": 0, "any": 1}


def test_the_auc_counts_pairs_and_gives_ties_a_half() -> None:
    """Of the four pairs here three are right and one is a tie."""
    scores, truth = np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, False])

    assert auc(scores, truth) == 3.5 / 4


def test_the_auc_of_one_kind_alone_is_a_half() -> None:
    """Without clean pictures the AUC is not defined."""
    assert auc(np.array([0.3, 0.4]), np.array([True, True])) == 0.5


def test_calibrated_probabilities_have_no_calibration_error() -> None:
    """Of ten pictures scored 0.2 two are defective: as promised."""
    truth = np.array([True] * 2 + [False] * 8)

    assert pytest.approx(0.0, abs=1e-9) == calibration_error(np.full(10, 0.2), truth, 0.2)


def test_overconfident_probabilities_raise_the_calibration_error() -> None:
    """Scored 0.9 while one half is defective: wrong by 0.4."""
    truth = np.array([True, False] * 5)

    assert pytest.approx(0.4) == calibration_error(np.full(10, 0.9), truth, 0.5)


def test_the_confusion_counts_every_picture_once() -> None:
    """One of each kind."""
    scores = np.array([[0.9, 0, 0], [0.9, 0, 0], [0.1, 0, 0], [0.1, 0, 0]], np.float32)
    labels = np.array([[1, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0]], np.float32)

    blur = summary(scores, labels, (0.5, 0.5, 0.5))["blur"]

    assert [1, 1, 1, 1] == [blur[f"{kind}_{sign}"] for kind in ("true", "false") for sign in ("positive", "negative")]


def test_the_curve_of_a_perfect_head_stays_at_precision_one() -> None:
    """Until everything is found, and then falls to the share of defects; equal scores are one step."""
    recall, precision = precision_recall(np.array([0.9, 0.8, 0.1, 0.1]), np.array([True, True, False, False]))

    np.testing.assert_allclose([0.5, 1.0, 1.0], recall)
    np.testing.assert_allclose([1.0, 1.0, 0.5], precision)


@given(SCORES, st.randoms(use_true_random=False))
def test_the_area_under_the_roc_curve_is_the_auc(scores: np.ndarray, chance: random.Random) -> None:
    """Counted in pairs or drawn as a curve, with any number of ties."""
    truth = np.array([True, False, *(chance.random() < 0.5 for _ in scores[2:])])

    wrong, right = roc(scores, truth)

    assert (wrong[0], right[0], wrong[-1], right[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert auc(scores, truth) == pytest.approx(np.trapezoid(right, wrong))


@given(SCORES, st.floats(0.05, 0.95), st.randoms(use_true_random=False))
def test_the_calibration_error_is_a_share_that_copies_do_not_change(
    scores: np.ndarray, prevalence: float, chance: random.Random
) -> None:
    """The same pictures twice give the same error."""
    truth = np.array([True, False, *(chance.random() < 0.5 for _ in scores[2:])])

    error = calibration_error(scores, truth, prevalence)

    assert 0.0 <= error <= 1.0
    assert error == pytest.approx(calibration_error(np.tile(scores, 2), np.tile(truth, 2), prevalence))
