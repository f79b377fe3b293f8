"""The scenes that a two-stage training learns from, and where its state is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from culld.training.dataset import Scene, split
from culld.training.experiment import TwoStageExperiment
from culld.training.two_stage.train import backup_folder, training_scenes

RECIPE = TwoStageExperiment()
PARTS = split([Scene(f"{number}.jpg", frozenset(), "drawn", "CC0") for number in range(200)], RECIPE.splits)


def test_all_scenes_outside_the_test_are_learnt_from() -> None:
    """There is nothing to calibrate on here."""
    found = training_scenes(PARTS, RECIPE)

    assert set(found.train) == {*PARTS.train, *PARTS.calibration}
    assert not found.calibration
    assert found.test == PARTS.test


def test_a_number_of_scenes_are_the_same_ones_each_time_and_a_part_of_more() -> None:
    """So that a recipe with fewer scenes repeats."""
    few, more = (training_scenes(PARTS, replace(RECIPE, scenes=count)).train for count in (10, 20))

    assert len(few) == 10
    assert few == more[:10]
    assert more != training_scenes(PARTS, replace(RECIPE, scenes=20, seed=2)).train


def test_a_run_with_other_values_does_not_go_on_from_this_one() -> None:
    """A sentence for the table is no value."""
    cache = Path("cache")

    assert backup_folder(RECIPE, cache) == backup_folder(replace(RECIPE, differs="much"), cache)
    assert backup_folder(RECIPE, cache) != backup_folder(replace(RECIPE, scenes=20), cache)
