"""Thresholds by their meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from culld.app.model_files import resolve_policies
from culld.config import load_config
from culld.errors import ConfigError, SystemFaultError
from culld.records import Defect, OperatingPoint
from culld.stages.decide.thresholds import threshold_for

CURVES = {
    Defect.BLUR: (OperatingPoint(0.5, 0.9, 0.99), OperatingPoint(0.8, 0.96, 0.97), OperatingPoint(0.97, 0.995, 0.8))
}


@pytest.mark.parametrize(("precision", "threshold"), [(0.5, 0.5), (0.9, 0.5), (0.91, 0.8), (0.995, 0.97)])
def test_the_lowest_threshold_that_is_precise_enough_is_taken(precision: float, threshold: float) -> None:
    """A lower one finds more of the defective photos."""
    assert threshold == threshold_for(CURVES, Defect.BLUR, precision)


def test_a_dip_above_a_threshold_rules_it_out() -> None:
    """From the threshold on, every point must be precise enough."""
    dipping = {
        Defect.BLUR: (OperatingPoint(0.5, 0.99, 0.9), OperatingPoint(0.8, 0.9, 0.7), OperatingPoint(0.9, 0.99, 0.5))
    }

    assert threshold_for(dipping, Defect.BLUR, 0.95) == 0.9


def test_an_unreachable_precision_is_reported_with_the_highest_one() -> None:
    """So that the user can choose a lower one."""
    with pytest.raises(ConfigError, match=r"policy\.defects\.blur\.reject: .* 0\.995 at most"):
        threshold_for(CURVES, Defect.BLUR, 0.999)


def test_a_card_without_a_curve_gives_a_message_with_the_alternative() -> None:
    """Models of one's own may have none."""
    with pytest.raises(ConfigError, match=r"policy\.defects\.under\.reject: .* no precision curve"):
        threshold_for(CURVES, Defect.UNDER, 0.9)


def test_only_a_precision_needs_the_card_of_the_model(tmp_path: Path) -> None:
    """A file of plain numbers has its policy whatever the model is; a precision without a model is a system fault."""
    file = tmp_path / "culld.yaml"
    file.write_text("watch: [{path: /a}]\nquarantine: /q\nmodel: {path: none}\n")
    assert resolve_policies(load_config(file, {})).default.blur.reject == 0.97

    file.write_text(file.read_text() + "policy: {defects: {blur: {reject: {precision: 0.98}}}}\n")
    with pytest.raises(SystemFaultError, match=r"no model with a card\.json"):
        resolve_policies(load_config(file, {}))


def test_every_folder_gets_the_number_of_the_card(tmp_path: Path) -> None:
    """The model that comes with culld has a curve; the mode of a folder changes nothing of it."""
    file = tmp_path / "culld.yaml"
    head = "watch: [{path: /a, mode: enforce}, {path: /b}]\nquarantine: /q\n"
    file.write_text(head + "policy: {defects: {blur: {reject: {precision: 0.9}}}}\n")

    policies = resolve_policies(load_config(file, {}))

    found = {policy.blur for policy in (policies.default, *policies.by_root.values())}
    assert len(found) == 1
    assert 0.5 <= (found.pop().reject or 0) < 1
