"""From answers to figures, and to the page that shows them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from culld.training.baselines import LaplacianBaseline, fitted_rules, laplacian_variance, plain_rules
from culld.training.bench import Predictions
from culld.training.figures import evaluation_figures
from culld.training.table import results_page

NIGHT, PLAIN = frozenset({"night_lowkey"}), frozenset[str]()
TAG, REJECT = (0.5, 0.6, 0.6), (0.97, None, 0.97)
SHARES = (0.1, 0.1, 0.1)


def answers(
    scores: list[list[float]], labels: list[list[float]], groups: list[str], tags: list[frozenset[str]]
) -> Predictions:
    """What one contender, "it", said."""
    return Predictions(
        np.array(labels, np.float32), np.array(groups), tuple(tags), {"it": np.array(scores, np.float32)}
    )


@pytest.fixture
def everything() -> dict[str, Predictions]:
    """Two scenes, one of them a night that is taken for a defect."""
    clean = answers([[0, 0, 0], [0, 0.7, 0]], [[0, 0, 0]] * 2, ["clean"] * 2, [PLAIN, NIGHT])
    linear = answers(
        [[0, 0, 0], [0, 0.7, 0], [0.9, 0, 0], [0.2, 0, 0]],
        [[0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0]],
        ["clean", "clean", "linear", "linear"],
        [PLAIN, NIGHT] * 2,
    )
    return {
        "seed 1": linear,
        "seed 2": answers([[0, 0, 0], [0.9, 0, 0]], [[0, 0, 0], [1, 0, 0]], ["clean", "seed"], [PLAIN] * 2),
        "linear": linear,
        "other ways": clean,
        "strong blur": answers([[0.98, 0, 0], [0.6, 0, 0]], [[1, 0, 0]] * 2, ["disk 4", "disk 8"], [PLAIN] * 2),
        "real": answers([[0, 0.9, 0], [0, 0.1, 0.7]], [[0, 1, 0], [0, 0, 1]], ["under", "over"], [PLAIN] * 2),
    }


def test_the_figures_are_those_one_counts_by_hand(everything: dict[str, Predictions]) -> None:
    """Each protocol has its own place, and the seed's draws are averaged."""
    found = evaluation_figures(everything, "it", TAG, REJECT, SHARES)

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
    spread = evaluation_figures(everything, "it", TAG, REJECT, SHARES)["seed_protocol_spread"]

    assert pytest.approx(0.5 / np.sqrt(2), abs=1e-4) == spread["exact_match"]
    assert "pictures" not in spread


def test_calibration_is_told_as_drawn_and_at_the_prevalence(everything: dict[str, Predictions]) -> None:
    """Blur: of four pictures two are defective, scored 0.9 and 0.2; the clean ones are scored 0."""
    found = evaluation_figures(everything, "it", TAG, REJECT, SHARES)

    assert pytest.approx((0.1 + 0.8) / 4) == found["expected_calibration_error_as_drawn"]["blur"]
    assert pytest.approx(0.1 * (0.1 + 0.8) / 2) == found["expected_calibration_error"]["blur"]
    assert found["expected_calibration_error"]["prevalence"] == {"blur": 0.1, "under": 0.1, "over": 0.1}


def test_who_claims_no_probabilities_and_never_rejects_is_not_measured_by_that(
    everything: dict[str, Predictions],
) -> None:
    """A rule's number is no chance."""
    found = evaluation_figures(everything, "it", TAG, (None, None, None), None)

    assert not [key for key in found if key.startswith("expected")]
    assert "rejected" not in found["clean"]["all"]
    assert "rejected" not in found["strong_blur_found"]["all"]


def report(everything: dict[str, Predictions]) -> dict[str, Any]:
    """The report on "it" and on a rule that says the same."""
    model, rule = (
        evaluation_figures(everything, "it", TAG, REJECT, SHARES),
        evaluation_figures(everything, "it", TAG, (None,) * 3, None),
    )
    return {
        "model": "it@1",
        "contenders": {"it@1": model, "rule": rule},
        "notes": {"rule": "of thumb"},
        "missing": {"Other": "too shy"},
    }


def test_the_page_shows_counts_with_their_intervals_and_who_did_not_run(everything: dict[str, Predictions]) -> None:
    """A peer that is missing is named with the reason."""
    shown = results_page(report(everything))

    assert "# What `it@1` is worth" in shown
    assert "rule: of thumb." in shown
    assert "| it@1 | night, low key (1) | 0 = 0.0 % (0-79) | 1 = 100.0 % (21-100) |" in shown
    assert "| Other | not run: too shy |" in shown
    assert "| it@1 | 91.7 ± 11.8 | 75.0 ± 35.4 |" in shown
    assert "| it@1 | past reject | 50.0 | 100.0 | 0.0 |" in shown
    assert "| rule | past reject |" not in shown
    assert "| it@1 | 1 of 1 = 100.0 | 1 of 1 = 100.0 |  |  | 1.0000 | 1.0000 |" in shown
    assert "| it@1 | blur | linear light | 1.0000 | 100.0 | 50.0 | 66.7 | 1 | 2 | 0 | 1 | 0.2250 | 0.0450 |" in shown


def test_the_page_of_written_figures_is_the_same_page(everything: dict[str, Predictions]) -> None:
    """Nothing of it is outside the JSON."""
    told = report(everything)

    assert results_page(told) == results_page(json.loads(json.dumps(told)))


def test_without_real_photos_the_page_has_no_such_part(everything: dict[str, Predictions]) -> None:
    """They are an option of the command."""
    del everything["real"]

    assert "Really mis-exposed" not in results_page(report(everything))


def test_the_laplacian_of_a_chequerboard_is_four_times_its_step() -> None:
    """Every inner pixel differs from its four neighbours by the same step, up and down in turn."""
    board = ((np.indices((8, 8)).sum(axis=0) % 2) * 10).astype(np.float32)

    assert pytest.approx(40.0**2) == laplacian_variance(board)


def test_plain_rules_call_grey_paper_blurred_and_black_dark() -> None:
    """Their thresholds lie at a half."""
    look = plain_rules(LaplacianBaseline(), "rules").open()

    black, white = (look(np.full((32, 32, 3), level, np.uint8)) for level in (0, 255))

    assert (black >= 0.5).tolist() == [True, True, False]
    assert (white >= 0.5).tolist() == [True, False, True]


def test_fitted_rules_part_what_can_be_parted() -> None:
    """Sharpness 3 and less is blurred here, brightness 0.1 dark, 0.9 bright."""
    seen = np.array([[1, 0.5], [3, 0.5], [9, 0.5], [9, 0.1], [9, 0.9], [20, 0.3]], np.float32)
    labels = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], np.float32)

    rules = fitted_rules(seen, labels)

    assert pytest.approx((3, 0.1, 0.9)) == (rules.sharpness, rules.dark, rules.bright)
    assert str(rules) == "Laplacian up to 3, brightness up to 0.10 or from 0.90"
