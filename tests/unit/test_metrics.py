"""Figures about scores."""

from __future__ import annotations

import numpy as np
import pytest

from culld.training.metrics import auc, calibration_error, flagged, summary


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

    assert flagged(scores, (0.97, None, 0.97)) == {"blur": 0.5, "under": 0.0, "over": 0.0, "any": 0.5}


def test_the_auc_counts_pairs_and_gives_ties_a_half() -> None:
    """Of the four pairs here three are right and one is a tie."""
    scores, truth = np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, False])

    assert auc(scores, truth) == 3.5 / 4


def test_the_auc_of_one_kind_alone_is_a_coin() -> None:
    """Without clean pictures there is nothing to tell apart."""
    assert auc(np.array([0.3, 0.4]), np.array([True, True])) == 0.5


def test_honest_probabilities_have_no_calibration_error() -> None:
    """Of ten pictures scored 0.2 two are defective: as promised."""
    truth = np.array([True] * 2 + [False] * 8)

    assert pytest.approx(0.0, abs=1e-9) == calibration_error(np.full(10, 0.2), truth, 0.2)


def test_boastful_probabilities_show_in_the_calibration_error() -> None:
    """Scored 0.9 while one half is defective: wrong by 0.4."""
    truth = np.array([True, False] * 5)

    assert pytest.approx(0.4) == calibration_error(np.full(10, 0.9), truth, 0.5)
