"""The page that shows the figures of a model and its peers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.accuracy.results_page import results_page
from culld.app.review.intervals import wilson
from culld.training.report import Predictions, evaluation_figures, evaluation_report
from harness.predictions import REJECT, SHARES, TAG, all_protocols


@pytest.fixture
def everything() -> dict[str, Predictions]:
    """Two scenes, one of them a night that is wrongly tagged."""
    return all_protocols()


def report(everything: dict[str, Predictions]) -> dict[str, Any]:
    """The report on "it" and on a rule with the same scores."""
    model, rule = (
        evaluation_figures(everything, TAG, REJECT, SHARES),
        evaluation_figures(everything, TAG, (None,) * 3, None),
    )
    return evaluation_report(
        "it@1", {"it@1": model, "rule": rule}, notes={"rule": "of thumb"}, missing={"Other": "too shy"}
    )


def test_the_page_shows_counts_with_intervals_and_missing_contenders(everything: dict[str, Predictions]) -> None:
    """A peer that is missing is named with the reason."""
    shown = results_page(report(everything))

    assert "# Results of `it@1`" in shown
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


def test_the_table_of_the_model_that_ships_shows_its_figures(models: Path) -> None:
    """Both are committed; a change of the page writes the table again."""
    folder = models / "defects"

    assert (folder / "table.md").read_text("utf-8") == results_page(json.loads((folder / "figures.json").read_text()))


def test_without_real_photos_the_page_has_no_such_part(everything: dict[str, Predictions]) -> None:
    """They are an option of the command."""
    del everything["real"]

    assert "Really mis-exposed" not in results_page(report(everything))


@pytest.mark.parametrize(
    ("hits", "total", "interval"),
    [(0, 12, (0.0, 0.2425)), (3, 21, (0.0498, 0.3464)), (21, 21, (0.8454, 1.0)), (0, 0, (0.0, 1.0))],
)
def test_few_photos_prove_little(hits: int, total: int, interval: tuple[float, float]) -> None:
    """Wilson's interval, computed by hand: none of twelve may still be a quarter."""
    assert interval == pytest.approx(wilson(hits, total), abs=2e-4)


@given(st.integers(1, 500).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_an_interval_holds_the_share_and_mirrors(seen: tuple[int, int]) -> None:
    """The interval of the misses is the mirror of that of the hits."""
    hits, total = seen

    low, high = wilson(hits, total)

    assert 0.0 <= low <= hits / total + 1e-12
    assert hits / total - 1e-12 <= high <= 1.0
    assert (1 - high, 1 - low) == pytest.approx(wilson(total - hits, total))
