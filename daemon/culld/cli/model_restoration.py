"""`culld model train` for the network that repairs JPEG compression: training, export, rule of the gain, figures."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from culld.cli import exit_codes, model_common
from culld.enhance.gain import KEY, SQUARE, features, fitted
from culld.enhance.restore import open_restoration, restore
from culld.inference.card import MODEL_FILE, Card, load_card, read_card, save_card
from culld.inference.litert import LiteRtNetwork
from culld.training.context import describe
from culld.training.dataset import read_index, split
from culld.training.provenance import provenance
from culld.training.restoration.experiment import load_restoration
from culld.training.restoration.export import SIDE, write_restoration
from culld.training.restoration.known_pairs import judged, known_pair, read_photo
from culld.training.restoration.measure import measure
from culld.training.restoration.train import train_restoration

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from culld.enhance.gain import GainRule
    from culld.training.dataset import Scene, Split
    from culld.training.restoration.experiment import RestorationExperiment
    from culld.training.restoration.known_pairs import KnownPair

    Pixels = NDArray[np.uint8]
    Progress = Callable[[str, int, int], None]

LABELS = ("repaired",)
_MEASURED = 60
"""Photos of the test that are measured; `python -m bench.restoration` measures more, and its rivals."""
_CHECKED = 3
"""Pairs of each scene of the calibration."""
_LIMITS = (
    "It repairs JPEG compression only: blur, noise and clipped light stay as they are.",
    "It was trained on photographs of 640 px; text, drawings and screenshots were not measured.",
    "A photo that was made smaller after it was compressed gains little.",
)


def train(args: argparse.Namespace) -> int:
    """Train the network of an experiment file with `recipe: restoration`, and write its model folder.

    A run whose checkpoint has all steps is not trained again, but exported and measured, and its rule fitted.
    """
    experiment, made, text = load_restoration(args.experiment), provenance(), args.experiment.read_text("utf-8")
    if args.seed is not None:
        experiment = replace(experiment, seed=args.seed)
        text = json.dumps(asdict(experiment))  # YAML as well
    out = args.out or Path("models") / experiment.name
    parts, backup = (
        split(read_index(args.photos), experiment.splits),
        model_common.checkpoint_folder(args.cache, experiment),
    )
    print(f"the checkpoints are kept in {backup}", file=sys.stderr)
    with model_common.ProgressBars() as shown:
        model = train_restoration(
            [read_photo(args.photos / scene.file) for scene in parts.train],
            experiment,
            backup,
            lambda step, _loss: shown.progress("steps", step, experiment.steps),
        )
        digest = write_restoration(model, out / MODEL_FILE, SIDE, experiment.precision)
        (out / "train.yaml").write_text(text, "utf-8")
        rule = _rule(model, args.photos, parts, shown.progress)
        save_card(out, _card(experiment, parts, digest, made, rule))
        found = _figures(out, args.photos, parts.test, shown.progress)
    save_card(out, replace(read_card(out), metrics=found))
    print(f"{load_card(out).id} written to {out}")
    model_common.print_figures(found)
    return exit_codes.FINE


def _rule(model: Any, photos: Path, parts: Split, progress: Progress) -> GainRule:
    """Fit the rule of the gain on scenes of the training, and its margin on those of the calibration."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / MODEL_FILE
        write_restoration(model, file, SQUARE)  # one tile a pair
        network = LiteRtNetwork(file, threads=2)
    found = [
        judged(_pairs(photos, scenes, each, phase, progress), lambda before: restore(before, network), features)
        for phase, scenes, each in (("known pairs", parts.train, 1), ("margin", parts.calibration, _CHECKED))
    ]
    return fitted(*found[0], *found[1])


def _pairs(photos: Path, scenes: Sequence[Scene], each: int, phase: str, progress: Progress) -> Iterator[KnownPair]:
    for number, scene in enumerate(scenes):
        photo = read_photo(photos / scene.file)
        yield from (known_pair(photo, scene.file, draw) for draw in range(each))
        progress(phase, number + 1, len(scenes))


def _figures(folder: Path, photos: Path, scenes: Sequence[Scene], progress: Progress) -> dict[str, Any]:
    """Return the figures of a model folder on scenes of the test, rounded, with their intervals."""
    network = open_restoration(folder)
    chosen = scenes[:: max(1, len(scenes) // _MEASURED)][:_MEASURED]
    pictures = (read_photo(photos / scene.file) for scene in chosen)
    found = measure(
        pictures, lambda before: restore(before, network), progress=lambda done: progress("test", done, len(chosen))
    )
    cases = {name: {key: str(value) for key, value in case.items()} for name, case in found.items()}
    return {"photographs": len(chosen), **cases}


def _card(experiment: RestorationExperiment, parts: Split, digest: str, made: dict[str, str], rule: GainRule) -> Card:
    return Card(
        name=experiment.name,
        version=experiment.version,
        digest=digest,
        width=SIDE,
        height=SIDE,
        labels=LABELS,
        thresholds=(),
        data=describe(parts, experiment.batch * experiment.steps),
        origin={"trunk": "none: trained from random weights", "licence": "none needed"},
        metrics={},
        calibration={KEY: rule.to_json()},
        provenance=made,
        limits=_LIMITS,
    )
