"""Calibration: from logits to probabilities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from culld.records import NETWORK_DEFECTS, Defect
from culld.training.calibration import Calibration, LabelledLogits, calibrate, curve, operating_points
from culld.training.defects.features import Table
from culld.training.defects.fit import row_weights
from culld.training.experiment import Experiment
from culld.training.metrics import calibration_error

EXPERIMENT = Experiment()
HALF = (0.5, 0.5, 0.5)


def table(labels: np.ndarray, group: str = "clean", *, hard: bool = False) -> Table:
    """Rows with these labels for every head, all known."""
    rows = len(labels)
    spread = np.repeat(labels[:, None], 3, axis=1).astype(np.float32)
    features, stops = np.zeros((rows, 1), np.float16), np.zeros(rows, np.float32)
    names, scene = np.full(rows, group), np.full(rows, "scene")
    return Table(features, spread, spread >= 0, names, np.full(rows, hard), stops, scene)


def labelled(logits: np.ndarray, labels: np.ndarray) -> LabelledLogits:
    """These logits with these labels for every head, all known."""
    spread = np.repeat(labels[:, None], 3, axis=1).astype(np.float32)
    return LabelledLogits(logits, spread, spread >= 0)


def test_overconfident_logits_are_scaled_down() -> None:
    """Logits three times too large get a scale near one third, and then are calibrated."""
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, 20_000)
    labels = (rng.random(20_000) < 1 / (1 + np.exp(-honest))).astype(np.float32)
    logits = np.repeat((3 * honest)[:, None], 3, axis=1).astype(np.float32)

    found = calibrate(labelled(logits, labels), HALF)

    assert pytest.approx(1 / 3, abs=0.02) == found.scale[0]
    chance = 1 / (1 + np.exp(-(logits[:, 0] * found.scale[0] + found.offset[0])))
    assert calibration_error(chance, labels > 0.5, float(labels.mean())) < 0.02


def test_a_rare_defect_lowers_the_offset() -> None:
    """Training shows half defects; where one photo in ten has one, the same logit means less."""
    rng = np.random.default_rng(1)
    honest = rng.normal(0, 2, 20_000)
    labels = (rng.random(20_000) < 1 / (1 + np.exp(-honest))).astype(np.float32)
    logits = np.repeat(honest[:, None], 3, axis=1).astype(np.float32)

    found = calibrate(labelled(logits, labels), (0.1, 0.1, 0.1))

    assert pytest.approx(np.log(0.1 / 0.9), abs=0.1) == found.offset[1]


@pytest.mark.parametrize("size", [1.0, 30.0, 300.0])
def test_separable_logits_get_a_finite_scale(size: float) -> None:
    """Perfect heads on few pictures must not end in probabilities of exactly 0 and 1 around the border."""
    labels = np.array([0.0] * 50 + [1.0] * 50, np.float32)
    logits = np.repeat((np.linspace(-1, 1, 100) * size)[:, None], 3, axis=1).astype(np.float32)

    found = calibrate(labelled(logits, labels), HALF)

    assert 0.05 <= found.scale[0] < 50
    assert abs(found.offset[0]) < 5


def test_a_soft_label_is_not_calibrated_on() -> None:
    """It is neither a defect nor none."""
    logits = np.array([[-2.0] * 3, [2.0] * 3, [-1.0] * 3, [1.0] * 3], np.float32)
    sure = labelled(logits, np.array([0.0, 1.0, 0.0, 1.0]))
    more = labelled(np.concatenate([logits, logits[:2] * 5]), np.array([0.0, 1.0, 0.0, 1.0, 0.4, 0.4]))

    assert calibrate(more, (0.5, 0.5, 0.5)).offset == pytest.approx(calibrate(sure, (0.5, 0.5, 0.5)).offset, abs=0.05)


def test_clean_hard_negatives_weigh_more_and_doubtful_labels_nothing() -> None:
    """The experiment's weights reach the rows that they are meant for."""
    labels = np.zeros(2, np.float32)
    plain, hard = table(labels), table(labels, hard=True)
    doubtful = replace(hard, known=np.array([[True, False, True]] * 2))

    assert EXPERIMENT.weight_clean == row_weights(plain, EXPERIMENT)[0, 0]
    assert EXPERIMENT.weight_hard == row_weights(hard, EXPERIMENT)[0, 0]
    assert row_weights(doubtful, EXPERIMENT)[0, 1] == 0.0
    assert EXPERIMENT.weight_mild == row_weights(table(labels, "mild"), EXPERIMENT)[0, 0]
    assert row_weights(table(labels, "under", hard=True), EXPERIMENT)[0, 0] == 1.0


def test_a_threshold_means_what_is_counted_there() -> None:
    """By hand: at 0.5 half of the defective are found and one of nine clean ones is wrong, plus half an alarm."""
    chances = np.array([0.9, 0.2, *[0.1] * 8, 0.6])
    truth = np.array([True, True, *[False] * 9])

    found = {meaning.threshold: meaning for meaning in curve(chances, truth, 0.5)}[0.5]

    assert found.recall == 0.5
    assert pytest.approx(0.5 / (0.5 + 1.5 / 10), abs=1e-4) == found.precision


def test_precision_never_falls_when_the_threshold_rises() -> None:
    """A dip among few photos is chance; the policy must be able to look up a lowest threshold."""
    rng = np.random.default_rng(0)
    truth = rng.random(500) < 0.3
    chances = np.clip(rng.normal(np.where(truth, 0.7, 0.4), 0.2), 0, 1)

    found = [meaning.precision for meaning in curve(chances, truth, 0.1)]

    assert found == sorted(found)
    assert max(found) > 0.5


def test_a_curve_ends_where_nothing_is_found_any_more() -> None:
    """No precision is claimed for thresholds that no defective photo reached."""
    found = curve(np.array([0.52, 0.1]), np.array([True, False]), 0.1)

    assert found[-1].threshold == 0.5
    assert curve(np.array([0.9]), np.array([False]), 0.1) == ()


def test_operating_points_leave_out_unknown_labels() -> None:
    """A doubtful label counts neither way; every defect has its own curve."""
    logits = np.array([[4.0, 4.0, 4.0], [-4.0, -4.0, -4.0], [4.0, 4.0, 4.0]], np.float32)
    rows = labelled(logits, np.array([1, 0, 0], np.float32))
    sure = replace(rows, known=np.array([[True] * 3, [True] * 3, [False, True, True]]))

    found = operating_points(sure, Calibration(), HALF)

    assert set(found) == set(NETWORK_DEFECTS)
    assert found[Defect.BLUR][0].precision > found[Defect.OVER][0].precision
