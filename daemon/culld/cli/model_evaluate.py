"""`culld model evaluate`: the figures and curves of a model on photos that it was not trained on."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from culld.cli import exit_codes, model_change, model_common
from culld.compare.bench.defects import may_go_live, row_of
from culld.errors import ConfigError
from culld.inference.card import load_card
from culld.training.change.experiment import RECIPE
from culld.training.dataset import read_index, split
from culld.training.evaluate import evaluate_model, milliseconds_per_frame, photos_digest
from culld.training.experiment import load_recipe, recipe_of
from culld.training.plots import draw_curves
from culld.training.report import evaluation_report, report_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from culld.inference.card import Card
    from culld.training.context import RunContext
    from culld.training.dataset import Scene
    from culld.training.report import Predictions

FIGURES, CURVES = "figures.json", "curves.png"


@dataclass(frozen=True, slots=True)
class _Measured:
    """A model with its figures and its predictions by protocol."""

    card: Card
    figures: dict[str, Any]
    predictions: dict[str, Predictions]


def evaluate(args: argparse.Namespace) -> int:
    """Print the figures of a model on its test scenes; write them and the curves into the model folder.

    With another model, both are measured on the scenes that neither was trained on.
    """
    if recipe_of(args.folder / "train.yaml") == RECIPE:
        if args.against:
            raise ConfigError(("--against is for defect models; `culld compare bench` compares models of change",))
        return model_change.evaluate(args)
    folders = [args.folder, *([args.against] if args.against else [])]
    seed, test = load_recipe(args.folder / "train.yaml").seed, _test_scenes(args.photos, folders)
    with model_common.ProgressBars() as shown:
        context = model_common.run_context(args, args.folder, shown.progress, None)
        found = [_measured(folder, args.folder, test, context) for folder in folders]
    photos = photos_digest(test, seed)
    contenders = {each.card.id: each.figures for each in found}
    text = report_text(evaluation_report(found[0].card.id, contenders, photos=photos))
    (args.folder / FIGURES).write_text(text, "utf-8")
    draw_curves(
        {each.card.id: each.predictions for each in found},
        {each.card.id: [threshold.tag for threshold in each.card.thresholds] for each in found},
        args.folder / CURVES,
    )
    if args.json:
        print(text, end="")
    else:
        _print(found)
    _print_verdict(found, photos)
    return exit_codes.FINE


def _test_scenes(photos: Path, folders: Sequence[Path]) -> tuple[Scene, ...]:
    """Return the scenes that are test scenes of every model; raises ConfigError if there are none."""
    scenes = read_index(photos)
    parts = [split(scenes, load_recipe(folder / "train.yaml").splits).test for folder in folders]
    common = frozenset.intersection(*(frozenset(scene.file for scene in part) for part in parts))
    if not common:
        raise ConfigError(("no photo is a test photo of both models: train one of them with the seed of the other",))
    return tuple(scene for scene in parts[0] if scene.file in common)


def _measured(folder: Path, recipe: Path, test: Sequence[Scene], context: RunContext) -> _Measured:
    """Measure the model of a folder on pictures that follow from the experiment in `recipe`."""
    card = load_card(folder)
    cost = milliseconds_per_frame(folder, test, context)
    print(f"{card.id}: {cost} ms for a frame on one core, here and now", file=sys.stderr)
    figures, predictions = evaluate_model(folder, test, card.thresholds, load_recipe(recipe / "train.yaml"), context)
    return _Measured(card, figures, predictions)


def _print(found: Sequence[_Measured]) -> None:
    for each in found:
        print(each.card.id)
        model_common.print_figures(each.figures, "  ")


def _print_verdict(found: Sequence[_Measured], photos: str) -> None:
    """Print on standard error whether the first model may replace the second one, if there is one."""
    if len(found) > 1:
        candidate, current = (row_of(each.card.id, each.figures, photos) for each in found)
        verdict = may_go_live(candidate, current)
        answer = "may" if verdict.allowed else "may not"
        print(f"{candidate.name} {answer} replace {current.name}: {'; '.join(verdict.reasons)}", file=sys.stderr)
