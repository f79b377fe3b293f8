"""`culld model train | evaluate | export | list`: the training side."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from culld.cli import codes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from culld.model.card import Card
    from culld.training.experiment import Experiment
    from culld.training.recipe import Surroundings, Trained

_ORIGIN = {
    "trunk": "MobileNetV2 1.0, ImageNet, as far as block_6_expand; not trained further",
    "licence": "Apache-2.0",
    "notice": "The trunk's weights are those of MobileNetV2 1.0 trained on ImageNet, under the Apache License, Version "
    "2.0 (https://www.apache.org/licenses/LICENSE-2.0). Changed here: cut after block_6_expand, heads added.",
}
_RANDOM = {"trunk": "MobileNetV2 1.0 at random", "licence": "none needed", "notice": "no weights of others"}


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer `model` with its four actions."""
    parser = subparsers.add_parser("model", help="train, measure and list models")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    train = actions.add_parser("train", help="train a model on a folder of clean photographs")
    train.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photographs with their index.csv")
    train.add_argument("--weights", type=Path, metavar="FILE", help="MobileNetV2 weights as .npz (default: random)")
    train.add_argument("--experiment", type=Path, metavar="FILE", help="what to train (default: the first model)")
    train.add_argument("--out", type=Path, metavar="DIR", help="folder to write (default: models/NAME)")

    evaluate = actions.add_parser("evaluate", help="measure a model on photographs it was not trained on")
    evaluate.add_argument("folder", type=Path, metavar="MODEL", help="model folder")
    evaluate.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photographs with their index.csv")

    for action in (train, evaluate):
        action.add_argument(
            "--real-exposure", type=Path, metavar="DIR", help="really mis-exposed photos, to measure on"
        )
        action.add_argument("--cache", type=Path, metavar="DIR", help="where features are kept (default: user's cache)")

    export = actions.add_parser("export", help="make model.tflite again out of model.keras, and fit the card to it")
    export.add_argument("folder", type=Path, metavar="MODEL", help="model folder")

    listing = actions.add_parser("list", help="list the models at hand")
    listing.add_argument("--models", type=Path, metavar="DIR", help="folder of model folders (default: culld's own)")

    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do one of the four actions; without TensorFlow only `list` and `evaluate` can."""
    from culld.errors import SystemFaultError  # noqa: PLC0415 - `culld --help` needs none of this

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow tells a screenful about missing GPUs
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "train": _train,
        "evaluate": _evaluate,
        "export": _export,
        "list": _list,
    }
    try:
        return actions[args.action](args)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in {"tensorflow", "keras"}:
            raise
        raise SystemFaultError("training needs TensorFlow: run `pip install 'culld[tensorflow]'`") from error


def _train(args: argparse.Namespace) -> int:
    from culld.model.card import load_card, save_card  # noqa: PLC0415
    from culld.training.experiment import load_experiment  # noqa: PLC0415
    from culld.training.provenance import making  # noqa: PLC0415
    from culld.training.recipe import train  # noqa: PLC0415

    made = making()  # first of all: it is better to miss TensorFlow now than after an hour
    experiment = load_experiment(args.experiment)
    out = args.out or Path("models") / experiment.name
    text = args.experiment.read_text("utf-8") if args.experiment else None
    with _Shown() as shown:
        trained = train(experiment, _around(args, out, shown.progress, text))
    save_card(out, _card(experiment, trained, made, args.weights))
    print(f"{load_card(out).id} written to {out}")
    _print_figures(trained.metrics)
    return codes.FINE


def _evaluate(args: argparse.Namespace) -> int:
    from culld.model.card import load_card  # noqa: PLC0415
    from culld.training.dataset import read_index, split  # noqa: PLC0415
    from culld.training.experiment import load_experiment  # noqa: PLC0415
    from culld.training.recipe import measure  # noqa: PLC0415

    print(load_card(args.folder).id)
    experiment = load_experiment(args.folder / "train.yaml")
    scenes = split(read_index(args.photos), experiment).test
    with _Shown() as shown:
        figures = measure(args.folder, scenes, experiment, _around(args, args.folder, shown.progress, None))
    _print_figures(figures)
    return codes.FINE


def _export(args: argparse.Namespace) -> int:
    from dataclasses import replace  # noqa: PLC0415

    from culld.model.card import load_card, read_card, save_card  # noqa: PLC0415
    from culld.training.export import LITERT_FILE, load_keras, write_litert  # noqa: PLC0415

    card = read_card(args.folder)
    digest = write_litert(load_keras(args.folder), args.folder / LITERT_FILE)
    save_card(args.folder, replace(card, digest=digest))
    print(f"{load_card(args.folder).id} written to {args.folder}")
    return codes.FINE


def _list(args: argparse.Namespace) -> int:
    from culld.errors import SystemFaultError  # noqa: PLC0415
    from culld.model.card import CARD_FILE, load_card  # noqa: PLC0415
    from culld.service.model import shipped_models  # noqa: PLC0415

    code = codes.FINE
    places = [args.models] if args.models else shipped_models()
    folders = sorted(card.parent for place in places for card in place.glob(f"*/{CARD_FILE}"))
    for folder in folders:
        try:
            print(f"{load_card(folder).id:<28} {folder}")
        except SystemFaultError as error:
            print(f"{folder}: {error}", file=sys.stderr)
            code = codes.SYSTEM_FAULT
    if not folders:
        print(f"no model in {', '.join(map(str, places))}")
    return code


def _around(
    args: argparse.Namespace, out: Path, progress: Callable[[str, int, int], None], text: str | None
) -> Surroundings:
    from culld.model.engines import LiteRtNetwork  # noqa: PLC0415
    from culld.training.recipe import Surroundings  # noqa: PLC0415

    def engine(model: Path) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
        return LiteRtNetwork(model).run

    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Surroundings(
        photos=args.photos,
        weights=getattr(args, "weights", None),
        cache=args.cache or home / "culld" / "training",
        out=out,
        real_exposure=args.real_exposure,
        decode=_decode,
        engine=engine,
        progress=progress,
        experiment_text=text,
    )


def _decode(path: Path) -> NDArray[np.uint8]:
    """The very way on which the daemon brings a photo into the network's frame."""
    from culld.photos.formats import HEAD_BYTES, recognise  # noqa: PLC0415
    from culld.photos.imaging import DecodeLimits, decode  # noqa: PLC0415

    with path.open("rb") as stream:
        format_ = recognise(stream.read(HEAD_BYTES))
        stream.seek(0)
        return decode(stream, format_, DecodeLimits())


def _card(experiment: Experiment, trained: Trained, made: dict[str, str], weights: Path | None) -> Card:
    from culld.model.card import Card  # noqa: PLC0415
    from culld.records import Defect  # noqa: PLC0415
    from culld.training.network import HEIGHT, WIDTH  # noqa: PLC0415

    return Card(
        name=experiment.name,
        version=experiment.version,
        digest=trained.digest,
        width=WIDTH,
        height=HEIGHT,
        labels=tuple(Defect),
        thresholds=experiment.thresholds,
        data=trained.data,
        origin=_ORIGIN if weights else _RANDOM,
        metrics=trained.metrics,
        calibration=trained.calibration,
        making=made,
    )


class _Shown:
    """Progress on the terminal, one bar for each phase."""

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn  # noqa: PLC0415

        columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=Console(stderr=True))
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> _Shown:  # noqa: PYI034 - private, never subclassed
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def progress(self, phase: str, done: int, total: int) -> None:
        """Move the bar of a phase."""
        if phase not in self._tasks:
            self._tasks[phase] = self._bars.add_task(phase, total=total)
        self._bars.update(self._tasks[phase], completed=done, total=total)


def _print_figures(figures: dict[str, Any], indent: str = "") -> None:
    """Figures as an indented list; a group without groups of its own on one line."""
    for name, value in figures.items():
        if not isinstance(value, dict):
            print(f"{indent}{name}: {value}")
        elif any(isinstance(inner, dict) for inner in value.values()):
            print(f"{indent}{name}:")
            _print_figures(value, indent + "  ")
        else:
            print(f"{indent}{name}: " + ", ".join(f"{key} {inner}" for key, inner in value.items()))
