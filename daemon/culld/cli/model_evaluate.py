"""`culld model evaluate`: the figures and curves of a model on photos that it was not trained on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from culld.cli import exit_codes, model_change, model_common
from culld.inference.card import load_card
from culld.training.change.experiment import RECIPE
from culld.training.dataset import read_index, split
from culld.training.evaluate import evaluate_model, milliseconds_per_frame
from culld.training.experiment import load_recipe, recipe_of
from culld.training.plots import draw_curves
from culld.training.report import evaluation_report, report_text

if TYPE_CHECKING:
    import argparse

FIGURES, CURVES = "figures.json", "curves.png"


def evaluate(args: argparse.Namespace) -> int:
    """Print the figures of a model on its test scenes; write them and the curves into the model folder."""
    if recipe_of(args.folder / "train.yaml") == RECIPE:
        return model_change.evaluate(args)
    experiment, card = load_recipe(args.folder / "train.yaml"), load_card(args.folder)
    test = split(read_index(args.photos), experiment.splits).test
    with model_common.ProgressBars() as shown:
        context = model_common.run_context(args, args.folder, shown.progress, None)
        cost = milliseconds_per_frame(args.folder, test, context)
        print(f"{card.id}: {cost} ms for a frame on one core, here and now", file=sys.stderr)
        figures, predictions = evaluate_model(args.folder, test, card.thresholds, experiment, context)
    text = report_text(evaluation_report(card.id, {card.id: figures}))
    (args.folder / FIGURES).write_text(text, "utf-8")
    draw_curves({card.id: predictions}, {card.id: [each.tag for each in card.thresholds]}, args.folder / CURVES)
    if args.json:
        print(text, end="")
    else:
        print(card.id)
        model_common.print_figures(figures, "  ")
    return exit_codes.FINE
