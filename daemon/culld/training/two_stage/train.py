"""A training run as the seed did it, from photographs or tables to a model folder with its card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from culld.errors import SystemFaultError
from culld.training.context import TrainingResult, describe
from culld.training.dataset import read_index, split
from culld.training.evaluate import check_parity, measure
from culld.training.experiment import as_yaml
from culld.training.export import KERAS_FILE, LITERT_FILE, write_litert
from culld.training.kadis_dataset import seed_variants
from culld.training.render import render
from culld.training.two_stage.experiment import build_two_stage, train_stages, with_probabilities
from culld.training.two_stage.input_pipelines import from_table, on_the_fly, without_tensorflow

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.training.context import Frame, RunContext
    from culld.training.dataset import Scene, Split
    from culld.training.experiment import TwoStageExperiment


def train_two_stage(generation: TwoStageExperiment, around: RunContext, tables: Path | None) -> TrainingResult:
    """Train as the seed did, on the tables of `culld model dataset` or, without them, on pictures drawn on the fly.

    Raises `SystemFaultError` once it is trained where there is no TensorFlow, which alone makes LiteRT files.
    """
    scenes = split(read_index(around.photos), generation.ground)
    model, trunk = build_two_stage(generation, around.weights)
    backup = around.cache / f"{generation.name}-{generation.seed}"
    train_stages(model, trunk, generation, _kadis_data(generation, scenes, around, tables), around.out, backup)

    whole = with_probabilities(model)
    whole.save(around.out / KERAS_FILE)
    (around.out / "train.yaml").write_text(around.experiment_text or as_yaml(generation), "utf-8")
    return _finished(whole, generation, scenes, around)


def _finished(whole: Any, generation: TwoStageExperiment, scenes: Split, around: RunContext) -> TrainingResult:
    try:
        digest = write_litert(whole, around.out / LITERT_FILE, generation.precision)
    except ModuleNotFoundError as error:
        raise SystemFaultError(
            f"{around.out / KERAS_FILE} is trained; there is no TensorFlow here to export and measure it: where there "
            f"is, the same command with this --out and this --cache ({around.cache}) does only that"
        ) from error
    worst = check_parity(whole, around.out, scenes.test, around)
    found = measure(around.out, scenes.test, generation, around)
    found["largest_difference_to_keras"] = float(f"{worst:.1e}")
    seen = (*scenes.train, *scenes.calibration)
    pictures = len(seen) * (1 + generation.kinds)
    return TrainingResult(digest, describe(scenes, pictures), found, {"method": "none, as in the seed"}, {})


def _kadis_data(
    generation: TwoStageExperiment, scenes: Split, around: RunContext, tables: Path | None
) -> tuple[Any, Any]:
    """Training and validation pictures; every epoch of the training draws anew unless there are tables."""
    import keras

    if tables is not None:
        train, val = tables / "train.csv", tables / "val.csv"
        return from_table(train, generation.batch, generation.seed), from_table(val, generation.batch, None)
    flowing = on_the_fly if keras.backend.backend() == "tensorflow" else without_tensorflow

    def make(scene: Scene, draw: int) -> tuple[Frame, NDArray[np.float32]]:
        frame = around.decode(around.photos / scene.file)
        wanted = seed_variants(scene, generation.kinds, generation.seed + draw)
        return np.stack([render(frame, one, around.jpeg) for one in wanted]), np.array([one.labels for one in wanted])

    learn = flowing((*scenes.train, *scenes.calibration), make, generation.batch, generation.seed)
    return learn, flowing(scenes.test, lambda scene, _: make(scene, 0), generation.batch, generation.seed)
