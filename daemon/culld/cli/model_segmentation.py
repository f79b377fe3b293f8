"""`culld model train` for the network that segments defects: training, export, thresholds, rules, figures."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.cli import exit_codes, model_common
from culld.inference.card import MODEL_FILE, Card, load_card, read_card, save_card
from culld.records import Threshold
from culld.records.regions import REGION_CLASSES, REGION_DEFECTS, RegionClass
from culld.segment import rules
from culld.segment.maps import maps_of, open_segmentation
from culld.segment.masks import BLURRED, BY_RULE, RULES, Segmenter, blur_of
from culld.training.context import describe
from culld.training.dataset import read_index, split
from culld.training.provenance import provenance
from culld.training.restoration.known_pairs import read_photo
from culld.training.segmentation import measure
from culld.training.segmentation.experiment import load_segmentation
from culld.training.segmentation.export import SIDE, write_segmentation
from culld.training.segmentation.measure import Kind
from culld.training.segmentation.train import train_segmentation

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from culld.training.dataset import Scene, Split
    from culld.training.segmentation.experiment import SegmentationExperiment
    from culld.training.segmentation.measure import Maps

    Pixels = NDArray[np.uint8]

NETWORK, RULE, SHIPPED = "network", "rule", "shipped"
"""The segmenters that are measured: the network alone, the rules alone, and what `culld segment` uses."""
_MEASURED = 60
"""Scenes of the test that are measured; `python -m bench.segment` measures all, and its rivals."""
_FALSE = {measure.BLUR: 0.015, RegionClass.BLOCKS: 0.0075, RegionClass.NOISE: 0.0075}
"""The share of patches without a defect that may be called blurred, blocks or noise: 3 % in all. Rules call none so."""
COMPOSITES = (Kind.COMPOSITE, Kind.COMPOSITE)
"""The pictures that the thresholds of rivals are chosen on."""
_LIMITS = (
    "The network was trained and measured on composites: photographs in which regions were degraded by a program.",
    "A photo is judged in a frame of 1024 px: defects that only its full resolution shows are not found.",
    "A background that is out of focus on purpose is a region out of focus as well: what is meant cannot be seen.",
    "Black and white surfaces that were photographed right are found as crushed and clipped, for their values are.",
)


def train(args: argparse.Namespace) -> int:
    """Train the network of an experiment file with `recipe: segmentation`, and write its model folder.

    A run whose checkpoint has all steps is not trained again, but exported and measured.
    """
    experiment, made, text = load_segmentation(args.experiment), provenance(), args.experiment.read_text("utf-8")
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
        model = train_segmentation(
            [read_photo(args.photos / scene.file) for scene in parts.train],
            experiment,
            rules,
            backup,
            lambda step, _loss: shown.progress("steps", step, experiment.steps),
        )
        digest = write_segmentation(model, experiment.channels, out / MODEL_FILE, SIDE, experiment.precision)
        (out / "train.yaml").write_text(text, "utf-8")
        save_card(out, _card(experiment, parts, digest, made))
        _settle(out, args.photos, parts.calibration, experiment, shown.progress)
        found = _figures(out, args.photos, parts.test, experiment, shown.progress)
    save_card(out, replace(read_card(out), metrics=found))
    print(f"{load_card(out).id} written to {out}")
    model_common.print_figures(found)
    return exit_codes.FINE


def by_network(folder: Path) -> Callable[[Pixels], Maps]:
    """Return a segmenter to be measured: the maps of the network of a model folder, and of blur of either kind."""
    network = open_segmentation(folder, threads=2)

    def segment(pixels: Pixels) -> Maps:
        maps = maps_of(pixels, network)
        found = {str(kind): maps[..., at] for at, kind in enumerate(REGION_CLASSES)}
        return {**found, measure.BLUR: blur_of(maps)}

    return segment


def by_rules(pixels: Pixels) -> Maps:
    """Return the classes that a rule tells, as maps of 0 and 1."""
    return {str(kind): rule(pixels).astype(np.float32) for kind, rule in RULES.items()}


def as_shipped(folder: Path) -> Callable[[Pixels], Maps]:
    """Return a segmenter to be measured: the masks of `culld segment`, and where any of them is a defect."""
    segmenter = Segmenter.open(folder, threads=2)

    def segment(pixels: Pixels) -> Maps:
        masks = segmenter.segment(pixels).masks
        any_defect = np.logical_or.reduce([masks[kind] for kind in REGION_DEFECTS])
        found = {str(kind): mask.astype(np.float32) for kind, mask in masks.items()}
        return {**found, measure.ANY: any_defect.astype(np.float32)}

    return segment


def counted(
    segmenters: dict[str, Callable[[Pixels], Maps]],
    photos: Path,
    scenes: Sequence[Scene],
    experiment: SegmentationExperiment,
    progress: Callable[[int, int], object],
    turns: Sequence[Kind] = measure.TURNS,
) -> measure.Counted:
    """Count the pixels of the pictures of scenes; `progress` gets the pictures done, and all of them."""
    total = len(turns) * len(scenes)
    done = iter(range(1, total + 1))
    given = measure.pictures(scenes, lambda scene: read_photo(photos / scene.file), experiment, rules, turns)
    return measure.count(segmenters, given, lambda: progress(next(done), total))


def _settle(
    folder: Path,
    photos: Path,
    scenes: Sequence[Scene],
    experiment: SegmentationExperiment,
    progress: Callable[[str, int, int], None],
) -> None:
    """Choose the threshold of each class, and between network and rule, on scenes of the calibration."""
    found = counted(
        {NETWORK: by_network(folder), RULE: by_rules},
        photos,
        scenes,
        experiment,
        lambda done, total: progress("thresholds", done, total),
    )
    limits = {kind: _threshold(found, kind) for kind in REGION_CLASSES}
    chosen, figures = [], {}
    for kind in RULES:
        network = measure.dice_value(found[NETWORK, Kind.COMPOSITE, kind], limits[kind])
        rule = measure.dice_value(found[RULE, Kind.COMPOSITE, kind], 0.5)
        figures[str(kind)] = {NETWORK: round(network, 4), RULE: round(rule, 4)}
        chosen += [str(kind)] if rule >= network else []
    card = read_card(folder)
    save_card(
        folder,
        replace(
            card,
            thresholds=tuple(Threshold(limits[kind], None) for kind in REGION_CLASSES),
            calibration={BY_RULE: chosen, "dice": figures},
        ),
    )


def _threshold(found: measure.Counted, kind: RegionClass) -> float:
    """Return the threshold of a class with the best Dice; a defect is found on next to nothing that has none.

    Both kinds of blur have that of blur.
    """
    name = measure.BLUR if kind in BLURRED else kind
    counts = found[NETWORK, Kind.COMPOSITE, name]
    if name not in _FALSE:
        return measure.best_threshold(counts)
    clean = measure.joined([found[NETWORK, Kind.PASTED, name], found[NETWORK, Kind.PLAIN, name]])
    return measure.best_threshold(counts, clean, _FALSE[name])


def _figures(
    folder: Path,
    photos: Path,
    scenes: Sequence[Scene],
    experiment: SegmentationExperiment,
    progress: Callable[[str, int, int], None],
) -> dict[str, Any]:
    """Return the figures of `culld segment` on scenes of the test, with their intervals."""
    chosen = scenes[:: max(1, len(scenes) // _MEASURED)][:_MEASURED]
    found = counted(
        {SHIPPED: as_shipped(folder)},
        photos,
        chosen,
        experiment,
        lambda done, total: progress("test", done, total),
    )
    classes = {
        str(kind): {
            "dice": str(measure.dice(found[SHIPPED, Kind.COMPOSITE, kind], 0.5)),
            "iou": str(measure.iou(found[SHIPPED, Kind.COMPOSITE, kind], 0.5)),
        }
        for kind in REGION_CLASSES
    }
    mean = measure.mean_dice([(found[SHIPPED, Kind.COMPOSITE, kind], 0.5) for kind in REGION_CLASSES[1:]])
    false = {str(kind): str(measure.false_area(found[SHIPPED, kind, measure.ANY], 0.5)) for kind in list(Kind)[1:]}
    return {"scenes": len(chosen), "mean dice": str(mean), "classes": classes, "area wrongly called defective": false}


def _card(experiment: SegmentationExperiment, parts: Split, digest: str, made: dict[str, str]) -> Card:
    return Card(
        name=experiment.name,
        version=experiment.version,
        digest=digest,
        width=SIDE,
        height=SIDE,
        labels=tuple(map(str, REGION_CLASSES)),
        thresholds=tuple(Threshold(0.5, None) for _ in REGION_CLASSES),
        data=describe(parts, experiment.batch * experiment.steps),
        origin={"trunk": "none: trained from random weights", "licence": "none needed"},
        metrics={},
        calibration={BY_RULE: []},
        provenance=made,
        limits=_LIMITS,
    )
