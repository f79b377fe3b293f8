"""The options of `culld model` and of its actions; argparse alone, so that `--help` loads no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_model_actions(parser: argparse.ArgumentParser) -> None:
    """Add `train`, `dataset`, `evaluate`, `export` and `list`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    train = actions.add_parser("train", help="train a model on a folder of clean photographs")
    train.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photographs with their index.csv")
    train.add_argument("--weights", metavar="FILE", help="of the backbone: a file, or `imagenet` (default: random)")
    train.add_argument("--dataset", type=Path, metavar="DIR", help="tables of `culld model dataset`")
    train.add_argument("--experiment", type=Path, metavar="FILE", help="what to train (default: the model that ships)")
    train.add_argument("--seed", type=int, metavar="N", help="in place of the experiment's: other scenes, other draws")
    train.add_argument("--out", type=Path, metavar="DIR", help="folder to write (default: models/NAME)")

    _add_dataset(actions)
    _add_evaluate(actions)

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


def _add_dataset(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser("dataset", help="write distorted pictures with labels.csv, train.csv and val.csv")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photographs with their index.csv")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="what is drawn (default: 1)")
    parser.add_argument(
        "--kinds", type=int, default=1, choices=range(1, 5), help="distorted pictures of each photograph (default: 1)"
    )


def _add_evaluate(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser("evaluate", help="measure a model on photographs it was not trained on")
    parser.add_argument("folder", type=Path, metavar="MODEL", help="model folder")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photographs with their index.csv")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON in place of a list")
