"""The rule that tells a real gain from a change without one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from culld.enhance.gain import FEATURES, KEY, GainRule, features, fitted, gain, load_rule, rule_of
from culld.errors import SystemFaultError
from culld.training.restoration.degrade import compressed


def textured(height: int = 300, width: int = 400) -> np.ndarray:
    """A picture with soft areas and texture."""
    down, across = np.mgrid[0:height, 0:width]
    base = 120 + 60 * np.sin(across / 31) * np.cos(down / 19) + np.random.default_rng(0).normal(0, 5, (height, width))
    return np.repeat(np.clip(base, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def constant(decibels: float, margin: float = 0.2) -> GainRule:
    """A rule that predicts the same gain for everything."""
    terms = 2 * FEATURES
    return GainRule((0.0,) * FEATURES, (1.0,) * FEATURES, (decibels, *(0.0,) * terms), margin)


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features, and gains that follow from two of them with little noise."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 1, (count, FEATURES))
    return rows, rows[:, 0] + 0.3 * rows[:, 1] ** 2 + rng.normal(0, 0.1, count)


def test_a_gain_is_real_from_the_margin_on() -> None:
    """Below it the repair is not accepted."""
    before, after = textured(), np.roll(textured(), 1, axis=0)

    assert gain(before, after, 10, constant(0.2)).is_real
    assert not gain(before, after, 10, constant(0.19)).is_real
    assert gain(before, after, 10, constant(0.7)).decibels == pytest.approx(0.7)


def test_a_repair_that_changes_nothing_is_no_gain() -> None:
    """Whatever the rule promises."""
    found = gain(textured(), textured(), 10, constant(2.0))

    assert (found.decibels, found.is_real) == (0.0, False)


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (2, 3), (31, 33), (256, 256), (700, 90), (1200, 1300)])
def test_features_exist_for_every_size(size: tuple[int, int]) -> None:
    """They are finite, also where no block fits."""
    before = textured(*size)

    found = features(before, 255 - before, None)

    assert found.shape == (FEATURES,)
    assert np.isfinite(found).all()
    assert found[-1] == 1.0


@pytest.mark.parametrize("shift", [(0, 0), (3, 5), (7, 1)])
def test_blocks_are_seen_wherever_their_grid_starts(shift: tuple[int, int]) -> None:
    """A strong compression shows more of them than the photo, at any phase."""
    clean = textured()[shift[0] :, shift[1] :]
    spoilt = compressed(textured(), 10)[shift[0] :, shift[1] :]

    assert features(spoilt, clean, 10)[2] > features(spoilt, clean, 10)[3] + 0.5


def test_a_fitted_rule_predicts_other_pairs() -> None:
    """Its margin keeps wrong ones below one in 200 accepted."""
    check, truth = drawn(400, 1)
    rule = fitted(*drawn(1500, 0), check, truth)
    rows, gains = drawn(1000, 2)

    predicted = rule.predicted(rows)

    assert np.sqrt(np.mean((predicted - gains)[np.abs(gains) < 1] ** 2)) < 0.5
    accepted = predicted >= rule.margin
    assert accepted.sum() > 200
    assert (gains[accepted] <= 0).mean() < 0.02


def test_a_rule_without_any_skill_gets_the_highest_margin() -> None:
    """So that nothing is accepted by chance."""
    rows, _ = drawn(300, 0)
    worse = np.full(300, -1.0)

    rule = fitted(rows, np.full(300, 2.0), rows, worse)

    assert rule.margin == pytest.approx(1.45)


def test_a_rule_travels_in_the_card(tmp_path: Path) -> None:
    """What is read back is the same rule; a card without one is a fault of the system."""
    rule = replace(constant(0.5), margin=0.35)
    facts = {name: {} for name in ("data", "origin", "metrics", "provenance")}
    card = {
        "name": "r",
        "version": 1,
        "digest": "0",
        "width": 8,
        "height": 8,
        "labels": ["x"],
        "thresholds": [],
        **facts,
    }
    (tmp_path / "card.json").write_text(json.dumps({**card, "calibration": {KEY: rule.to_json()}}), "utf-8")
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "card.json").write_text(json.dumps({**card, "calibration": {}}), "utf-8")

    assert load_rule(tmp_path) == rule
    with pytest.raises(SystemFaultError, match="no rule of the gain"):
        load_rule(empty)


def test_a_rule_of_other_features_is_refused() -> None:
    """Such as one that an earlier version fitted."""
    with pytest.raises(ValueError, match="features"):
        rule_of({**constant(0.5).to_json(), "centre": [1.0, 2.0]})
