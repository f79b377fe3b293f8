"""`culld model`: train, dataset, evaluate, export and list."""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.app.model_files import shipped_models
from culld.cli import (
    exit_codes,
    model_change,
    model_common,
    model_dataset,
    model_evaluate,
    model_restoration,
    model_segmentation,
    model_tone,
)
from culld.cli.model_explain import with_explanation
from culld.errors import SystemFaultError
from culld.inference.card import CARD_FILE, Card, load_card, read_card, save_card
from culld.records import NETWORK_DEFECTS
from culld.records.frame import HEIGHT, WIDTH
from culld.training.defects.train import train
from culld.training.experiment import Experiment, TwoStageExperiment, load_recipe, recipe_of
from culld.training.export import LITERT_FILE, load_keras, write_litert
from culld.training.provenance import provenance
from culld.training.two_stage.train import train_two_stage

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from culld.training.context import TrainingResult

_TRAINING = ("matplotlib", "ai_edge_quantizer")
"""The modules that the extra `train` installs and the extra `gpu` does not."""
_RECIPES: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "change": model_change.train,
    "restoration": model_restoration.train,
    "segmentation": model_segmentation.train,
    "tone": model_tone.train,
}
"""Training by the line `recipe` of an experiment file; the other recipes are those of networks of defects."""


def run(args: argparse.Namespace) -> int:
    """Run one action; `train` and `export` need TensorFlow, and raise SystemFaultError without it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # suppresses TensorFlow's warnings about missing GPUs
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "train": _train,
        "dataset": model_dataset.dataset,
        "evaluate": model_evaluate.evaluate,
        "export": _export,
        "list": _list,
    }
    try:
        return actions[args.action](args)
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing not in {"tensorflow", "keras", *_TRAINING}:
            raise
        raise SystemFaultError(f"training needs {missing}: run `pip install 'culld[train]'`") from error


def _train(args: argparse.Namespace) -> int:
    for name in _TRAINING:  # checked first, because they are imported only after an hour of training
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(name, name=name)
    other = _RECIPES.get(recipe_of(args.experiment)) if args.experiment else None
    if other is not None:
        return other(args)
    made = provenance()
    experiment = load_recipe(args.experiment) if args.experiment else Experiment()
    out = args.out or Path("models") / experiment.name
    text = args.experiment.read_text("utf-8") if args.experiment else None
    if args.seed is not None:
        experiment, text = replace(experiment, seed=args.seed), None
    with model_common.ProgressBars() as shown:
        context = model_common.run_context(args, out, shown.progress, text)
        if isinstance(experiment, TwoStageExperiment):
            trained = train_two_stage(experiment, context, args.dataset)
        else:
            trained = train(experiment, context)
    save_card(out, with_explanation(out, _card(experiment, trained, made, args.weights)))
    print(f"{load_card(out).id} written to {out}")
    model_common.print_figures(trained.metrics)
    return exit_codes.FINE


def _export(args: argparse.Namespace) -> int:
    card = read_card(args.folder)
    digest = write_litert(load_keras(args.folder), args.folder / LITERT_FILE, args.precision)
    save_card(args.folder, with_explanation(args.folder, replace(card, digest=digest)))
    print(f"{load_card(args.folder).id} written to {args.folder}")
    return exit_codes.FINE


def _list(args: argparse.Namespace) -> int:
    code = exit_codes.FINE
    places = [args.models] if args.models else shipped_models()
    folders = sorted(card.parent for place in places for card in place.glob(f"*/{CARD_FILE}"))
    for folder in folders:
        try:
            print(f"{load_card(folder).id:<34} {folder}")
        except SystemFaultError as error:
            print(f"{folder}: {error}", file=sys.stderr)
            code = exit_codes.SYSTEM_FAULT
    if not folders:
        print(f"no model in {', '.join(map(str, places))}")
    return code


def _card(
    experiment: Experiment | TwoStageExperiment, trained: TrainingResult, made: dict[str, str], weights: str | None
) -> Card:
    return Card(
        name=experiment.name,
        version=experiment.version,
        digest=trained.digest,
        width=WIDTH,
        height=HEIGHT,
        labels=NETWORK_DEFECTS,
        thresholds=experiment.thresholds,
        data=trained.data,
        origin=_origin(experiment, weights),
        metrics=trained.metrics,
        calibration=trained.calibration,
        provenance=made,
        operating_points={str(defect): curve for defect, curve in trained.operating_points.items()},
    )


def _origin(experiment: Experiment | TwoStageExperiment, weights: str | None) -> dict[str, str]:
    changed = "trained further" if isinstance(experiment, TwoStageExperiment) else "layers behind those used cut off"
    return model_common.origin(experiment.backbone, weights, changed, "heads added")
