"""The options of the actions of `culld model`; only argparse is imported, so that `--help` loads no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_model_actions(parser: argparse.ArgumentParser) -> None:
    """Add `train`, `dataset`, `evaluate`, `export` and `list`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    train = actions.add_parser("train", help="train a model on a folder of clean photos")
    train.add_argument("--photos", type=Path, required=True, metavar="DIR", help="folder of photos with an index.csv")
    train.add_argument("--weights", metavar="FILE", help="backbone weights: a file, or `imagenet` (default: random)")
    train.add_argument("--dataset", type=Path, metavar="DIR", help="folder with the tables of `culld model dataset`")
    train.add_argument("--real", type=Path, metavar="DIR", help="folder of real defects and hard light to learn from")
    train.add_argument("--experiment", type=Path, metavar="FILE", help="experiment file (default: the shipped model's)")
    train.add_argument("--seed", type=int, metavar="N", help="random seed (default: the experiment's)")
    train.add_argument("--out", type=Path, metavar="DIR", help="output folder (default: models/NAME)")

    _add_dataset(actions)
    _add_evaluate(actions)

    for action in (train, actions.choices["evaluate"]):
        action.add_argument(
            "--real-exposure", type=Path, metavar="DIR", help="folder of real mis-exposed photos for the evaluation"
        )
        action.add_argument("--cache", type=Path, metavar="DIR", help="cache of features (default: the user's cache)")

    export = actions.add_parser("export", help="convert model.keras to model.tflite, and update the card")
    export.add_argument("folder", type=Path, metavar="MODEL", help="model folder")
    export.add_argument(
        "--precision",
        choices=("float32", "float16"),
        default="float32",
        help="weight precision (default: float32)",
    )

    listing = actions.add_parser("list", help="list the installed models")
    listing.add_argument("--models", type=Path, metavar="DIR", help="folder of model folders (default: culld's own)")


def _add_dataset(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser("dataset", help="write distorted photos and their tables")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="folder of photos with an index.csv")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="random seed (default: 1)")
    parser.add_argument(
        "--recompress", action="store_true", help="write photos as JPEG of quality 5, 10, 30, 50 and 70"
    )
    parser.add_argument("--kinds", type=int, default=1, choices=range(1, 5), help="distortions per photo (default: 1)")


def _add_evaluate(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser("evaluate", help="evaluate a model on photos that it was not trained on")
    parser.add_argument("folder", type=Path, metavar="MODEL", help="model folder")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="folder of photos with an index.csv")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument(
        "--against", type=Path, metavar="MODEL", help="measure this model as well, and say if the first may replace it"
    )
