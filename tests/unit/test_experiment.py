"""The experiment file that travels with a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from culld.errors import ConfigError
from culld.records import Threshold
from culld.training.change.experiment import load_change
from culld.training.experiment import Experiment, as_yaml, load_experiment, load_recipe, recipe_of
from culld.training.restoration.experiment import load_restoration
from culld.training.segmentation.experiment import load_segmentation
from culld.training.tone.experiment import load_tone

SHIPPED = Path(__file__).parents[2] / "models" / "defects" / "train.yaml"


def test_an_experiment_survives_its_file(tmp_path: Path) -> None:
    """What is written is what is read."""
    wanted = replace(Experiment(), name="bold", draws=3, over_inputs=("light",), reject=(0.9, None, None))
    (tmp_path / "train.yaml").write_text(as_yaml(wanted), "utf-8")

    assert wanted == load_experiment(tmp_path / "train.yaml")


def test_the_defaults_are_the_shipped_experiment() -> None:
    """`culld model train` without a file repeats the model that ships."""
    assert load_experiment(SHIPPED) == load_experiment(None)


def test_the_shipped_experiment_states_its_command_and_what_to_expect() -> None:
    """A reader learns from the file how to repeat it."""
    head = SHIPPED.read_text("utf-8").split("name:")[0]

    assert "command:" in head
    assert "expected:" in head


def test_thresholds_are_the_policys_records() -> None:
    """In the order of the outputs; null is never."""
    wanted = (Threshold(0.5, 0.97), Threshold(0.6, None), Threshold(0.6, 0.97))

    assert wanted == Experiment().thresholds


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("epoch: 3\n", "epoch: no such key"),
        ("epochs: many\n", "epochs: must be of the kind of"),
        ("tag: [0.5]\n", "tag: must list 3 numbers"),
        ("blur_inputs: [1]\n", "blur_inputs: must list names"),
        ("neck: 0.1\n", "neck: is now called dropout"),
        ("blur_inputs: [mean, grain half]\n", "blur_inputs: grain half is now called stem_half"),
        ("pictures: [seed]\n", "pictures: seed is now called kadis"),
        ("head_rate: 0.1\n", "head_rate: no such key"),
        ("- 1\n", "must hold"),
        ("a: [\n", "cannot be read as YAML"),
    ],
)
def test_a_mistake_names_file_and_key(tmp_path: Path, text: str, complaint: str) -> None:
    """Unknown keys and wrong kinds are refused with a sentence."""
    path = tmp_path / "train.yaml"
    path.write_text(text, "utf-8")

    with pytest.raises(ConfigError) as caught:
        load_experiment(path)

    assert str(path) in str(caught.value)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("recipe: generation\n", "recipe: generation is now called two_stage"),
        ("recipe: two_stage\ntune_rate: 0.1\n", "tune_rate: is now called tune_learning_rate"),
        ("recipe: two_stage\npooling: levels\n", "pooling: levels is now called stages"),
        ("recipe: two_stage\nmembers: 3\n", "members: no such key"),
    ],
)
def test_a_two_stage_experiment_names_new_names_as_well(tmp_path: Path, text: str, complaint: str) -> None:
    """Only the keys that this recipe has are named."""
    path = tmp_path / "train.yaml"
    path.write_text(text, "utf-8")

    with pytest.raises(ConfigError) as caught:
        load_recipe(path)

    assert complaint in str(caught.value)


@pytest.mark.parametrize("path", sorted(SHIPPED.parents[1].glob("*/train.yaml")), ids=lambda path: path.parent.name)
def test_every_experiment_that_comes_with_culld_can_be_read(path: Path) -> None:
    """Each has the name of its folder, which for an earlier version ends in that."""
    others = {
        "change": load_change,
        "restoration": load_restoration,
        "segmentation": load_segmentation,
        "tone": load_tone,
    }
    found = others.get(recipe_of(path), load_recipe)(path)

    assert path.parent.name in {found.name, f"{found.name}-{found.version}"}


def test_all_mistakes_are_reported_together(tmp_path: Path) -> None:
    """All mistakes of a file are reported in one run."""
    path = tmp_path / "train.yaml"
    path.write_text("epoch: 3\nseed: x\n", "utf-8")

    with pytest.raises(ConfigError) as caught:
        load_experiment(path)

    assert len(caught.value.problems) == 2
