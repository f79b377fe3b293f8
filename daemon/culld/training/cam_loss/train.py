"""One run of the experiment: a baseline, and for each target a network that is trained on from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from culld.training.cam_loss.network import build_tail, energy_outside
from culld.training.cam_loss.targets import GRID

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from culld.training.cam_loss.experiment import CamLossExperiment
    from culld.training.cam_loss.pictures import PairFeatures

BASELINE = "baseline"
"""The name of the network that was trained without the loss of the map."""


def train_all(
    learn: PairFeatures, experiment: CamLossExperiment, seed: int, progress: Callable[[str], object]
) -> dict[str, Any]:
    """Return the trained Keras models by name: the baseline, and one for each target of the pictures.

    `progress` is called with the name of each network before it is trained.
    """
    import keras

    keras.utils.set_random_seed(seed)
    progress(BASELINE)
    baseline = build_tail()
    _fit(baseline, learn, None, experiment)
    found = {BASELINE: baseline}
    for name, masks in learn.targets.items():
        progress(name)
        tuned = build_tail()
        tuned.set_weights(baseline.get_weights())
        _fit(tuned, learn, masks, experiment)
        found[name] = tuned
    return found


def _fit(model: Any, learn: PairFeatures, masks: NDArray[np.float32] | None, experiment: CamLossExperiment) -> None:
    """Train a network; with `masks` also by the share of its maps' energy outside of them, on defective pictures."""
    import keras

    tuning = masks is not None
    rate = experiment.tune_learning_rate if tuning else experiment.learning_rate
    epochs = experiment.tune_epochs if tuning else experiment.epochs
    steps = epochs * -(-len(learn.labels) // experiment.batch)
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)),
        loss={"logit": keras.losses.BinaryCrossentropy(from_logits=True), "cam": energy_outside},
        loss_weights={"logit": 1.0, "cam": experiment.weight if tuning else 0.0},
    )
    wanted = masks if masks is not None else np.zeros((len(learn.labels), *GRID), np.float32)
    model.fit(
        learn.features,
        {"logit": learn.labels[:, None], "cam": wanted},
        sample_weight={"logit": np.ones_like(learn.labels), "cam": learn.labels},
        batch_size=experiment.batch,
        epochs=epochs,
        verbose=0,
    )
