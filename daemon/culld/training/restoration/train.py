"""Training of the restoration network, step by step; a run that was interrupted goes on from its last checkpoint."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from culld.training.checkpoints import load_checkpoint, made_ahead, save_checkpoint
from culld.training.restoration.network import build_restoration
from culld.training.restoration.patches import batch_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from culld.training.restoration.experiment import RestorationExperiment
    from culld.training.restoration.patches import Photo

EVERY: Final = 250
"""Steps between two checkpoints."""


def train_restoration(
    photos: Sequence[Photo],
    experiment: RestorationExperiment,
    backup: Path,
    progress: Callable[[int, float], object],
) -> Any:
    """Return the trained Keras model with averaged weights; `progress` gets the step and the loss of each checkpoint.

    `backup` is the folder of the checkpoints of this run; one with other values needs another folder.
    """
    import keras

    keras.utils.set_random_seed(experiment.seed)
    model, start = _started(experiment, backup)
    is_squared = False
    draw = functools.partial(batch_of, photos, experiment)
    for step, (spoilt, clean) in made_ahead(draw, start, experiment.steps):
        if not is_squared and step >= experiment.steps * (1 - experiment.squared):
            model.compile(optimizer=model.optimizer, loss="mean_squared_error")
            is_squared = True
        loss = float(model.train_on_batch(spoilt, clean))
        if (step + 1) % EVERY == 0:
            save_checkpoint(model, backup, step + 1)
            progress(step + 1, loss)
    model.optimizer.finalize_variable_values(model.trainable_variables)  # the averaged ones
    return model


def _started(experiment: RestorationExperiment, backup: Path) -> tuple[Any, int]:
    """Return the model and its number of steps: of the last checkpoint, or a new one."""
    import keras

    if (found := load_checkpoint(backup)) is not None:
        return found
    model = build_restoration(experiment.channels, experiment.blocks)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, experiment.steps, alpha=0.01, warmup_target=experiment.learning_rate, warmup_steps=200
    )
    optimizer = keras.optimizers.Adam(rate, use_ema=True, ema_momentum=experiment.ema, clipnorm=1.0)
    model.compile(optimizer=optimizer, loss="mean_absolute_error")
    return model, 0
