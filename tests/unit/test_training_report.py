"""From predictions to figures."""

from __future__ import annotations

import json

import numpy as np
import pytest

from culld.training.report import Predictions, evaluation_figures, evaluation_report, report_text
from harness.predictions import REJECT, SHARES, TAG, all_protocols


@pytest.fixture
def everything() -> dict[str, Predictions]:
    """Two scenes, one of them a night that is wrongly tagged."""
    return all_protocols()


def test_the_figures_are_those_one_counts_by_hand(everything: dict[str, Predictions]) -> None:
    """Each protocol has its own place, and the KADIS draws are averaged."""
    found = evaluation_figures(everything, TAG, REJECT, SHARES)

    assert found["scenes"] == 2
    assert pytest.approx((0.5 + 1.0) / 2) == found["seed_protocol_at_0.5"]["exact_match"]
    assert found["seed_protocol_at_0.5"]["blur"]["true_positive"] == 2
    assert found["linear_protocol_at_tag"]["blur"]["recall"] == 0.5
    assert found["clean"]["night_lowkey"]["tagged"]["under"] == 1
    assert found["clean"]["ordinary"]["tagged"]["any"] == 0
    assert found["clean"]["all"]["rejected"]["any"] == 0
    assert found["strong_blur_found"]["all"] == {"pictures": 2, "tagged": 1.0, "rejected": 0.5}
    assert found["real_exposure_at_tag"]["over"]["tagged"]["over"] == 1
    assert found["real_exposure_at_tag"]["auc_under"] == 1.0


def test_the_spread_is_that_between_the_draws(everything: dict[str, Predictions]) -> None:
    """Exact match is 0.5 in one draw and 1 in the other."""
    spread = evaluation_figures(everything, TAG, REJECT, SHARES)["seed_protocol_spread"]

    assert pytest.approx(0.5 / np.sqrt(2), abs=1e-4) == spread["exact_match"]
    assert "pictures" not in spread


def test_calibration_is_reported_as_drawn_and_at_the_prevalence(everything: dict[str, Predictions]) -> None:
    """Blur: of four pictures two are defective, scored 0.9 and 0.2; the clean ones are scored 0."""
    found = evaluation_figures(everything, TAG, REJECT, SHARES)

    assert pytest.approx((0.1 + 0.8) / 4) == found["expected_calibration_error_as_drawn"]["blur"]
    assert pytest.approx(0.1 * (0.1 + 0.8) / 2) == found["expected_calibration_error"]["blur"]
    assert found["expected_calibration_error"]["prevalence"] == {"blur": 0.1, "under": 0.1, "over": 0.1}


def test_a_contender_without_probabilities_or_rejects_is_not_measured_by_them(
    everything: dict[str, Predictions],
) -> None:
    """A rule's number is no chance."""
    found = evaluation_figures(everything, TAG, (None, None, None), None)

    assert not [key for key in found if key.startswith("expected")]
    assert "rejected" not in found["clean"]["all"]
    assert "rejected" not in found["strong_blur_found"]["all"]


def test_a_report_of_the_model_alone_has_no_notes_and_nothing_missing() -> None:
    """It has the same keys as that of a comparison with peers."""
    text = report_text(evaluation_report("it@1", {"it@1": {"scenes": 2}}))

    assert json.loads(text) == {"model": "it@1", "notes": {}, "missing": {}, "contenders": {"it@1": {"scenes": 2}}}
