"""Training of the restoration network, step by step; a run that was interrupted goes on from its last checkpoint."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from culld.training.restoration.network import build_restoration
from culld.training.restoration.patches import batch_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from culld.training.restoration.experiment import RestorationExperiment
    from culld.training.restoration.patches import Batch, Photo

EVERY: Final = 250
"""Steps between two checkpoints."""
_MODEL, _STEP = "checkpoint.keras", "checkpoint.json"
_AHEAD = 4


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
    for step, (spoilt, clean) in _batches(photos, experiment, start):
        if not is_squared and step >= experiment.steps * (1 - experiment.squared):
            model.compile(optimizer=model.optimizer, loss="mean_squared_error")
            is_squared = True
        loss = float(model.train_on_batch(spoilt, clean))
        if (step + 1) % EVERY == 0:
            _save(model, backup, step + 1)
            progress(step + 1, loss)
    model.optimizer.finalize_variable_values(model.trainable_variables)  # the averaged ones
    return model


def _started(experiment: RestorationExperiment, backup: Path) -> tuple[Any, int]:
    """Return the model and its number of steps: of the last checkpoint, or a new one."""
    import keras

    backup.mkdir(parents=True, exist_ok=True)
    if (backup / _STEP).exists():
        return keras.models.load_model(backup / _MODEL), int(json.loads((backup / _STEP).read_text("utf-8"))["steps"])
    model = build_restoration(experiment.channels, experiment.blocks)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, experiment.steps, alpha=0.01, warmup_target=experiment.learning_rate, warmup_steps=200
    )
    optimizer = keras.optimizers.Adam(rate, use_ema=True, ema_momentum=experiment.ema, clipnorm=1.0)
    model.compile(optimizer=optimizer, loss="mean_absolute_error")
    return model, 0


def _save(model: Any, backup: Path, steps: int) -> None:
    """Write a checkpoint: the model beside the old one, then its number of steps."""
    torn = backup / f"new-{_MODEL}"
    model.save(torn)
    torn.replace(backup / _MODEL)
    (backup / _STEP).write_text(json.dumps({"steps": steps}), "utf-8")


def _batches(photos: Sequence[Photo], experiment: RestorationExperiment, start: int) -> Iterator[tuple[int, Batch]]:
    """Yield the steps with their batches, which a thread makes ahead."""
    with ThreadPoolExecutor(1) as thread:
        ahead = [thread.submit(batch_of, photos, experiment, step) for step in range(start, start + _AHEAD)]
        for step in range(start, experiment.steps):
            yield step, ahead.pop(0).result()
            ahead.append(thread.submit(batch_of, photos, experiment, step + _AHEAD))
