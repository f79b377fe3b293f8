"""`culld model train` and `evaluate` for networks of change: training on drawn pairs, the card, the figures."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from culld.cli import exit_codes, model_common
from culld.compare import registry
from culld.compare.converted import LABELS, ConvertedNetwork
from culld.compare.model import Network
from culld.errors import ConfigError
from culld.inference.card import MODEL_FILE, Card, load_card, read_card, save_card
from culld.records import Threshold
from culld.records.frame import HEIGHT, WIDTH
from culld.training.change.experiment import load_change
from culld.training.change.export import write_change_litert
from culld.training.change.measure import best_threshold, count, drawn_pairs, figures, pair_count
from culld.training.change.train import photo_cache, train_change
from culld.training.context import describe
from culld.training.dataset import read_index, split
from culld.training.experiment import as_yaml
from culld.training.provenance import provenance

if TYPE_CHECKING:
    import argparse

    from culld.training.change.experiment import ChangeExperiment
    from culld.training.context import RunContext
    from culld.training.dataset import Split

FIGURES, RECIPE_FILE = "figures.json", "train.yaml"
_LIMITS = (
    "The network was trained and measured on drawn pairs, in which a region was pasted, filled, moved or recoloured.",
    "Real changes between two shots, such as people who moved, were not measured.",
    "Both frames must be aligned to 1.5 pixels at 512x384; parallax counts as change.",
    "Changes below 0.3 % of the frame were not learnt.",
)


def train(args: argparse.Namespace) -> int:
    """Train the network of an experiment file with `recipe: change`, measure it, and write its model folder."""
    experiment, made = load_change(args.experiment), provenance()
    text = args.experiment.read_text("utf-8")
    if args.seed is not None:
        experiment = replace(experiment, seed=args.seed)
        text = as_yaml(experiment)
    network = registry.entry(experiment.network)
    if not isinstance(network, Network):
        raise ConfigError((f"{args.experiment}: network: {network.name} has no weights to train",))
    out = args.out or Path("models") / experiment.name
    scenes = split(read_index(args.photos), experiment.splits)
    with model_common.ProgressBars() as shown:
        context = model_common.run_context(args, out, shown.progress, text)
        trained = train_change(network.build, scenes, experiment, context)
        digest = write_change_litert(network.build, trained, out / MODEL_FILE, experiment.precision)
        (out / RECIPE_FILE).write_text(text, "utf-8")
        save_card(out, _card(experiment, scenes, digest, made, args.weights))
        found = _measure(out, experiment, scenes, context)
    _keep(out, found)
    model_common.print_figures(found["models"][experiment.name])
    return exit_codes.FINE


def evaluate(args: argparse.Namespace) -> int:
    """Measure a network of change and the plain baselines on pairs of its test scenes; replace its card and figures."""
    experiment = load_change(args.folder / RECIPE_FILE)
    scenes = split(read_index(args.photos), experiment.splits)
    with model_common.ProgressBars() as shown:
        context = model_common.run_context(args, args.folder, shown.progress, None)
        found = _measure(args.folder, experiment, scenes, context)
    _keep(args.folder, found)
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        model_common.print_figures(found["models"])
        print("`culld compare bench` compares all models of change on one set of pairs, with their time and memory")
    return exit_codes.FINE


def _measure(folder: Path, experiment: ChangeExperiment, scenes: Split, context: RunContext) -> dict[str, Any]:
    """Return the figures at 0.5 and at the threshold that is best on the calibration scenes, for baselines too."""
    baselines = [entry for entry in registry.entries() if not isinstance(entry, Network)]
    models = {experiment.name: ConvertedNetwork(folder), **{each.name: each.create() for each in baselines}}
    photo = photo_cache(context)
    counted = []
    for phase, part in (("calibration", scenes.calibration), ("test", scenes.test)):
        progress = functools.partial(_progress, context, f"pairs, {phase}", pair_count(part))
        counted.append(count(models, drawn_pairs(part, photo, experiment.split_seed), progress))
    found = {
        name: {
            "at_0.5": figures(counted[1][name], 0.5),
            "at_best": figures(counted[1][name], best_threshold(counted[0][name])),
        }
        for name in models
    }
    return {"id": load_card(folder).id, "split_seed": experiment.split_seed, "models": found}


def _progress(context: RunContext, phase: str, total: int, done: int) -> None:
    context.progress(phase, done, total)


def _keep(folder: Path, found: dict[str, Any]) -> None:
    """Write the figures into the folder; those of the network and its threshold into the card as well."""
    card = read_card(folder)
    mine = found["models"][card.name]
    threshold = Threshold(mine["at_best"]["threshold"], None)
    save_card(folder, replace(card, metrics=mine, thresholds=(threshold,)))
    (folder / FIGURES).write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(f"{load_card(folder).id} written to {folder}")


def _card(experiment: ChangeExperiment, scenes: Split, digest: str, made: dict[str, str], weights: str | None) -> Card:
    pairs = experiment.batch * (experiment.steps + experiment.tune_steps)
    return Card(
        name=experiment.name,
        version=experiment.version,
        digest=digest,
        width=WIDTH,
        height=HEIGHT,
        labels=LABELS,
        thresholds=(Threshold(0.5, None),),
        data=describe(scenes, pairs),
        origin=model_common.origin(
            experiment.network.removeprefix("siamese-"), weights, "layers behind those used cut off", "a decoder added"
        ),
        metrics={},
        calibration={},
        provenance=made,
        limits=_LIMITS,
    )
