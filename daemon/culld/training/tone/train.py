"""A training run of the tone network, from photographs to a model folder."""

from __future__ import annotations

import functools
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import yaml

from culld.training.context import TrainingResult, describe
from culld.training.dataset import read_index, split
from culld.training.export import KERAS_FILE, LITERT_FILE, round_kernels, write_litert
from culld.training.tone.exposures import batch_of
from culld.training.tone.measure import errors
from culld.training.tone.network import HALF, SIZE, build_core, corrected, for_thumbnails

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from culld.training.context import RunContext
    from culld.training.dataset import Scene
    from culld.training.tone.experiment import ToneExperiment

    Photo = NDArray[np.uint8]

_EVERY: Final = 4
"""One pixel of 4 x 4 is compared with the right exposure."""


def train_tone(experiment: ToneExperiment, context: RunContext) -> TrainingResult:
    """Train, measure on the scenes of the test, and write the files of the model into `context.out`.

    Raises ConfigError where the folder of photographs has no index, or too few scenes for a part of the split.
    """
    scenes = split(read_index(context.photos), experiment.splits)
    core = fit_tone(_photos(scenes.train, context, "learn"), experiment, context.progress)
    model = for_thumbnails(round_kernels(core) if experiment.precision == "float16" else core)
    work = context.cache / "work-tone"
    digest = write_litert(model, work / LITERT_FILE, experiment.precision, SIZE)
    model.save(work / KERAS_FILE)
    (work / "train.yaml").write_text(context.experiment_text or _as_yaml(experiment), "utf-8")
    found: dict[str, Any] = {"parameters": int(core.count_params())}
    found |= errors(core, _photos(scenes.test, context, "measure"), experiment)
    context.out.mkdir(parents=True, exist_ok=True)
    for name in (LITERT_FILE, "train.yaml"):
        shutil.copyfile(work / name, context.out / name)
    return TrainingResult(digest, describe(scenes, experiment.batch * experiment.steps), found, {}, {})


def fit_tone(photos: Sequence[Photo], experiment: ToneExperiment, progress: Callable[[str, int, int], object]) -> Any:
    """Return the Keras model trained on clean photos, uint8 RGB (96, 128, 3), with averaged weights.

    The loss is the mean difference, in sRGB values, between a wrong exposure under its curve and the right one.
    """
    import keras

    keras.utils.set_random_seed(experiment.seed)
    core = build_core(experiment)
    warm_up = min(100, experiment.steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, experiment.steps, alpha=0.01, warmup_target=experiment.learning_rate, warmup_steps=warm_up
    )
    optimizer = keras.optimizers.Adam(rate, use_ema=True, ema_momentum=experiment.ema, clipnorm=1.0)
    core.compile(optimizer=optimizer, loss=_difference)
    for step in range(experiment.steps):
        wrong, right = batch_of(photos, experiment, step)
        core.train_on_batch(wrong, np.concatenate([wrong, right], axis=-1)[:, ::_EVERY, ::_EVERY])
        progress("tone curves", step + 1, experiment.steps)
    optimizer.finalize_variable_values(core.trainable_variables)  # the averaged ones
    return core


def _difference(both: Any, curve: Any) -> Any:
    """Return the mean difference; `both` holds the wrong exposure in its first three channels, then the right one."""
    from keras import ops

    return ops.mean(ops.abs(corrected(both[..., :3], curve) - both[..., 3:]))


def _photos(scenes: Sequence[Scene], context: RunContext, purpose: str) -> list[Photo]:
    """Return the photos of scenes, reduced by the mean of whole pixels to the size that is trained on."""
    found = []
    progress = functools.partial(context.progress, f"photos to {purpose}")
    for number, scene in enumerate(scenes):
        frame = context.decode(context.photos / scene.file)
        rows, columns = frame.shape[0] // HALF[1], frame.shape[1] // HALF[0]
        mean = frame.reshape(HALF[1], rows, HALF[0], columns, 3).mean(axis=(1, 3))
        found.append(np.rint(mean).astype(np.uint8))
        progress(number + 1, len(scenes))
    return found


def _as_yaml(experiment: ToneExperiment) -> str:
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(experiment).items()}
    return yaml.safe_dump(plain, sort_keys=False, default_flow_style=None)
