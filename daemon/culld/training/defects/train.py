"""A training run as a list of phases, from photographs to a model folder."""

from __future__ import annotations

import functools
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from culld.records import NETWORK_DEFECTS
from culld.training.calibration import LabelledLogits, calibrate, operating_points
from culld.training.context import TrainingResult, describe
from culld.training.dataset import read_index, split
from culld.training.defects.feature_groups import build_groups
from culld.training.defects.features import REAL, Draw, Extractor, Table
from culld.training.defects.fit import fit_heads
from culld.training.defects.network import assemble, joined, layout_of
from culld.training.defects.real_photos import real_scenes
from culld.training.evaluate import check_parity, measure
from culld.training.experiment import as_yaml
from culld.training.export import KERAS_FILE, LITERT_FILE, round_kernels, write_litert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from culld.training.context import RunContext
    from culld.training.dataset import Scene, Split
    from culld.training.experiment import Experiment


def train(experiment: Experiment, context: RunContext) -> TrainingResult:
    """Run all phases; files appear under `out` only when everything worked."""
    import keras

    keras.utils.set_random_seed(experiment.seed)  # a backbone without given weights starts at random
    scenes = split(read_index(context.photos), experiment.splits)
    groups = frozen_groups(experiment, context)
    real = real_scenes(context.real) if context.real else ()
    train_table, held_table = feature_tables(joined(groups), scenes, real, experiment, context)

    layout = layout_of(groups, experiment.groups)
    heads = _to_precision(
        fit_heads(train_table, layout, experiment, lambda done, total: context.progress("heads", done, total)),
        experiment,
    )
    held_out = LabelledLogits(heads.predict(held_table.features, verbose=0), held_table.labels, held_table.known)
    calibration = calibrate(held_out, experiment.prevalence)

    model = assemble(joined(groups), heads, calibration)
    work = context.cache / "work"
    digest = write_litert(model, work / LITERT_FILE, experiment.precision)
    model.save(work / KERAS_FILE)
    (work / "train.yaml").write_text(context.experiment_text or as_yaml(experiment), "utf-8")

    worst = check_parity(model, work, scenes.test, context)
    found = measure(work, scenes.test, experiment, context)
    _publish(work, context.out)
    fitted = {
        "method": "scale and offset per head, fitted on scenes that were not trained on",
        "scale": [round(value, 4) for value in calibration.scale],
        "offset": [round(value, 4) for value in calibration.offset],
        "pictures": len(held_table.labels),
        "prevalence": {
            defect.value: share for defect, share in zip(NETWORK_DEFECTS, experiment.prevalence, strict=True)
        },
        "expected_calibration_error": found["expected_calibration_error"],
    }
    found["largest_difference_to_keras"] = float(f"{worst:.1e}")
    points = operating_points(held_out, calibration, experiment.prevalence)
    return TrainingResult(digest, describe(scenes, len(train_table.labels), real), found, fitted, points)


def frozen_groups(experiment: Experiment, context: RunContext) -> Any:
    """Return the Keras model of the experiment's feature groups, with kernels of the precision that ships."""
    return _to_precision(build_groups(experiment.backbone, context.weights, experiment.groups), experiment)


def feature_tables(
    features: Any, scenes: Split, real: Sequence[Scene], experiment: Experiment, context: RunContext
) -> tuple[Table, Table]:
    """Return the features of the training and of the calibration pictures, by the frozen backbone.

    `real` are photographs of the context's folder of `real_photos`, which are learnt from as well. The calibration
    uses the first kind of pictures only: the experiment is for those.
    """
    backbone = context.cache / "backbone.tflite"
    write_litert(features, backbone)
    extractor = Extractor(
        context.photos, context.decode, context.jpeg, context.engine, backbone, context.cache / "features"
    )

    def table(name: str, part: tuple[Scene, ...], kinds: tuple[str, ...], count: int) -> Table:
        tables = []
        for draw in (Draw(experiment, kind, number) for kind in kinds for number in range(count)):
            phase = f"features to {name}, {draw.pictures} {draw.number + 1}"
            tables.append(extractor.table(part, draw, functools.partial(context.progress, phase)))
        return Table.joined(tables)

    learn = table("learn", scenes.train, experiment.pictures, experiment.draws)
    if context.real is not None and real:
        seen = replace(extractor, photos=context.real).table(
            real, Draw(experiment, REAL, 0), functools.partial(context.progress, "features of real photographs")
        )
        learn = Table.joined([learn, seen])
    return learn, table("calibrate", scenes.calibration, experiment.pictures[:1], experiment.calibration_draws)


def _to_precision(model: Any, experiment: Experiment) -> Any:
    return round_kernels(model) if experiment.precision == "float16" else model


def _publish(work: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name in (KERAS_FILE, LITERT_FILE, "train.yaml"):
        shutil.copyfile(work / name, out / name)
