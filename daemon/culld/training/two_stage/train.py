"""A two-stage training run, from photographs or tables to a model folder with its card."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.errors import SystemFaultError
from culld.training.context import TrainingResult, describe
from culld.training.dataset import Split, number_of, read_index, split
from culld.training.evaluate import check_parity, measure
from culld.training.experiment import as_yaml
from culld.training.export import KERAS_FILE, LITERT_FILE, write_litert
from culld.training.kadis_dataset import kadis_samples
from culld.training.render import render
from culld.training.two_stage.experiment import build_two_stage, train_stages, with_probabilities
from culld.training.two_stage.fixed_pictures import FixedPictures, render_pictures
from culld.training.two_stage.frozen_layers import unfold_batch_norm
from culld.training.two_stage.input_pipelines import from_table, on_the_fly, without_tensorflow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.training.context import Frame, RunContext
    from culld.training.dataset import Scene
    from culld.training.experiment import TwoStageExperiment

_STATISTICS = 256  # pictures: the deepest layer has 192 values of each


def train_two_stage(experiment: TwoStageExperiment, context: RunContext, tables: Path | None) -> TrainingResult:
    """Train in two stages, on the tables of `culld model dataset` or, without them, on pictures drawn on the fly.

    Raises `SystemFaultError` once it is trained where there is no TensorFlow, which alone makes LiteRT files.
    """
    import keras

    keras.utils.set_random_seed(experiment.seed)  # the heads start at random
    scenes = training_scenes(split(read_index(context.photos), experiment.splits), experiment)
    model, backbone = build_two_stage(experiment, context.weights)
    backup = backup_folder(experiment, context.cache)
    data = _kadis_data(experiment, scenes, context, tables)
    if _folded(context.weights) and not experiment.freeze_batch_norm and isinstance(data[0], FixedPictures):
        unfold_batch_norm(backbone, data[0].inputs[:_STATISTICS])
    train_stages(model, backbone, experiment, data, context.out, backup)

    whole = with_probabilities(model)
    whole.save(context.out / KERAS_FILE)
    (context.out / "train.yaml").write_text(context.experiment_text or as_yaml(experiment), "utf-8")
    return _finished(whole, experiment, scenes, context)


def training_scenes(scenes: Split, experiment: TwoStageExperiment) -> Split:
    """Return all scenes outside the test as those to train on, or the wanted number of them, chosen by hash."""
    learn = sorted(
        (*scenes.train, *scenes.calibration), key=lambda each: number_of(experiment.seed, "two stage", each.file)
    )
    return Split(tuple(learn[: experiment.scenes or None]), (), scenes.test)


def backup_folder(experiment: TwoStageExperiment, cache: Path) -> Path:
    """Return the folder for the state of an interrupted run; one with other values never goes on from it."""
    values = as_yaml(replace(experiment, differs="")).encode()
    return cache / f"{experiment.name}-{experiment.seed}-{hashlib.sha256(values).hexdigest()[:8]}"


def _folded(weights: Path | str | None) -> bool:
    return isinstance(weights, Path) and weights.suffix == ".npz"


def _finished(whole: Any, experiment: TwoStageExperiment, scenes: Split, context: RunContext) -> TrainingResult:
    try:
        digest = write_litert(whole, context.out / LITERT_FILE, experiment.precision)
    except ModuleNotFoundError as error:
        raise SystemFaultError(
            f"{context.out / KERAS_FILE} is trained; there is no TensorFlow here to export and measure it: where there "
            f"is, the same command with this --out and this --cache ({context.cache}) does only that"
        ) from error
    worst = check_parity(whole, context.out, scenes.test, context)
    found = measure(context.out, scenes.test, experiment, context)
    found["largest_difference_to_keras"] = float(f"{worst:.1e}")
    pictures = len(scenes.train) * (1 + experiment.kinds * max(experiment.draws, 1))
    return TrainingResult(digest, describe(scenes, pictures), found, {"method": "none, as in the source document"}, {})


def _kadis_data(
    experiment: TwoStageExperiment, scenes: Split, context: RunContext, tables: Path | None
) -> tuple[Any, Any]:
    """Training and validation pictures: of tables, the same ones in every epoch, or others in every epoch."""
    import keras

    if tables is not None:
        train, val = tables / "train.csv", tables / "val.csv"
        return from_table(train, experiment.batch, experiment.seed), from_table(val, experiment.batch, None)

    def make(scene: Scene, draw: int) -> tuple[Frame, NDArray[np.float32]]:
        frame = context.decode(context.photos / scene.file)
        wanted = kadis_samples(scene, experiment.kinds, experiment.seed + draw)
        labels = np.array([one.labels for one in wanted], np.float32)
        return np.stack([render(frame, one, context.jpeg) for one in wanted]), labels

    if experiment.draws:
        shown = functools.partial(context.progress, "pictures to train on")
        held = functools.partial(context.progress, "pictures to validate on")
        learn = render_pictures(scenes.train, make, experiment.draws, shown)
        return learn, render_pictures(scenes.test, make, 1, held)
    flowing = on_the_fly if keras.backend.backend() == "tensorflow" else without_tensorflow
    flow = flowing(scenes.train, make, experiment.batch, experiment.seed)
    return flow, flowing(scenes.test, lambda scene, _: make(scene, 0), experiment.batch, experiment.seed)
