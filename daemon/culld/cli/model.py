"""`culld model dataset | train | evaluate | export | list`: the training side."""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from culld.cli import exit_codes, model_common, model_dataset, model_evaluate

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from culld.inference.card import Card
    from culld.training.context import TrainingResult
    from culld.training.experiment import Experiment, TwoStageExperiment

_NOTICE = (
    "The trunk's weights are those of {trunk} trained on ImageNet, under the Apache License, Version 2.0 "
    "(https://www.apache.org/licenses/LICENSE-2.0). Changed here: {changed}."
)


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer `model` with its actions."""
    parser = subparsers.add_parser("model", help="train, measure and list models")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    train = actions.add_parser("train", help="train a model on a folder of clean photographs")
    train.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photographs with their index.csv")
    train.add_argument("--weights", metavar="FILE", help="of the trunk: a file, or `imagenet` (default: random)")
    train.add_argument("--dataset", type=Path, metavar="DIR", help="tables of `culld model dataset`")
    train.add_argument("--experiment", type=Path, metavar="FILE", help="what to train (default: the model that ships)")
    train.add_argument("--seed", type=int, metavar="N", help="in place of the experiment's: other scenes, other draws")
    train.add_argument("--out", type=Path, metavar="DIR", help="folder to write (default: models/NAME)")

    model_dataset.add(actions)
    model_evaluate.add(actions)

    for action in (train, actions.choices["evaluate"]):
        action.add_argument(
            "--real-exposure", type=Path, metavar="DIR", help="really mis-exposed photos, to measure on"
        )
        action.add_argument("--cache", type=Path, metavar="DIR", help="where features are kept (default: user's cache)")

    export = actions.add_parser("export", help="make model.tflite again out of model.keras, and fit the card to it")
    export.add_argument("folder", type=Path, metavar="MODEL", help="model folder")
    export.add_argument(
        "--precision",
        choices=("float32", "float16"),
        default="float32",
        help="of the kernels in the file (default: float32)",
    )

    listing = actions.add_parser("list", help="list the models at hand")
    listing.add_argument("--models", type=Path, metavar="DIR", help="folder of model folders (default: culld's own)")

    parser.set_defaults(run=run)


_TRAINING = ("matplotlib", "ai_edge_quantizer")
"""What the extra `train` brings and the extra `gpu` does not."""


def run(args: argparse.Namespace) -> int:
    """Do one of the actions; without TensorFlow only `train` and `export` cannot."""
    from culld.errors import SystemFaultError  # noqa: PLC0415 - `culld --help` needs none of this

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow tells a screenful about missing GPUs
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
    from culld.inference.card import load_card, save_card  # noqa: PLC0415
    from culld.training.defects.train import train  # noqa: PLC0415
    from culld.training.experiment import Experiment, TwoStageExperiment, load_recipe  # noqa: PLC0415
    from culld.training.provenance import making  # noqa: PLC0415
    from culld.training.two_stage.train import train_two_stage  # noqa: PLC0415

    for name in _TRAINING:  # first of all: it is better to miss a library now than after an hour
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(name, name=name)
    made = making()
    experiment = load_recipe(args.experiment) if args.experiment else Experiment()
    out = args.out or Path("models") / experiment.name
    text = args.experiment.read_text("utf-8") if args.experiment else None
    if args.seed is not None:
        experiment, text = replace(experiment, seed=args.seed), None
    with model_common.ProgressBars() as shown:
        around = model_common.run_context(args, out, shown.progress, text)
        if isinstance(experiment, TwoStageExperiment):
            trained = train_two_stage(experiment, around, args.dataset)
        else:
            trained = train(experiment, around)
    save_card(out, _card(experiment, trained, made, args.weights))
    print(f"{load_card(out).id} written to {out}")
    model_common.print_figures(trained.metrics)
    return exit_codes.FINE


def _export(args: argparse.Namespace) -> int:
    from culld.inference.card import load_card, read_card, save_card  # noqa: PLC0415
    from culld.training.export import LITERT_FILE, load_keras, write_litert  # noqa: PLC0415

    card = read_card(args.folder)
    digest = write_litert(load_keras(args.folder), args.folder / LITERT_FILE, args.precision)
    save_card(args.folder, replace(card, digest=digest))
    print(f"{load_card(args.folder).id} written to {args.folder}")
    return exit_codes.FINE


def _list(args: argparse.Namespace) -> int:
    from culld.app.model_files import shipped_models  # noqa: PLC0415
    from culld.errors import SystemFaultError  # noqa: PLC0415
    from culld.inference.card import CARD_FILE, load_card  # noqa: PLC0415

    code = exit_codes.FINE
    places = [args.models] if args.models else shipped_models()
    folders = sorted(card.parent for place in places for card in place.glob(f"*/{CARD_FILE}"))
    for folder in folders:
        try:
            print(f"{load_card(folder).id:<28} {folder}")
        except SystemFaultError as error:
            print(f"{folder}: {error}", file=sys.stderr)
            code = exit_codes.SYSTEM_FAULT
    if not folders:
        print(f"no model in {', '.join(map(str, places))}")
    return code


def _card(
    experiment: Experiment | TwoStageExperiment, trained: TrainingResult, made: dict[str, str], weights: str | None
) -> Card:
    from culld.inference.card import Card  # noqa: PLC0415
    from culld.records import Defect  # noqa: PLC0415
    from culld.records.frame import HEIGHT, WIDTH  # noqa: PLC0415

    return Card(
        name=experiment.name,
        version=experiment.version,
        digest=trained.digest,
        width=WIDTH,
        height=HEIGHT,
        labels=tuple(Defect),
        thresholds=experiment.thresholds,
        data=trained.data,
        origin=_origin(experiment, weights),
        metrics=trained.metrics,
        calibration=trained.calibration,
        provenance=made,
        operating_points={str(defect): curve for defect, curve in trained.precision.items()},
    )


def _origin(experiment: Experiment | TwoStageExperiment, weights: str | None) -> dict[str, str]:
    """What the network started from, under which licence."""
    from culld.training.experiment import TwoStageExperiment  # noqa: PLC0415

    if weights is None:
        return {"trunk": f"{experiment.trunk} at random", "licence": "none needed", "notice": "no weights of others"}
    changed = "trained further" if isinstance(experiment, TwoStageExperiment) else "layers behind those used cut off"
    return {
        "trunk": f"{experiment.trunk}, ImageNet; {changed}",
        "licence": "Apache-2.0",
        "notice": _NOTICE.format(trunk=experiment.trunk, changed=f"{changed}, heads added"),
    }
