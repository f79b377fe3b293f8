"""The recipe of the source document: a whole pretrained backbone, averaged, with its heads, trained in two stages.

Keras 3 only, so that it also trains on the JAX backend, where a GPU is at hand but no TensorFlow. After every epoch
the state is kept in `backup`, and a run that was killed goes on from there.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from culld.errors import ConfigError
from culld.records import NETWORK_DEFECTS
from culld.records.frame import HEIGHT, WIDTH
from culld.training.backbones import backbone_named, build_backbone, deviation, mean
from culld.training.defects.network import build_head
from culld.training.plots import draw_training
from culld.training.two_stage.fixed_pictures import FixedPictures, as_batches
from culld.training.two_stage.frozen_layers import NECK, split_at_frozen

if TYPE_CHECKING:
    from pathlib import Path

    from culld.training.experiment import TwoStageExperiment

LOG, CURVES = "train_log.csv", "training_curves.png"

_SEEDS_APART = 1000


def build_two_stage(
    experiment: TwoStageExperiment, weights: Path | str | None, shape: tuple[int, int, int] = (HEIGHT, WIDTH, 3)
) -> tuple[Any, Any]:
    """The Keras model from pixels 0..255 to three logits, and its backbone."""
    import keras

    backbone = build_backbone(experiment.backbone, shape, weights)
    thinned = keras.layers.Dropout(experiment.dropout, name=NECK)(_pooled(backbone, experiment))
    logits = [build_head(experiment.heads, defect, thinned) for defect in NETWORK_DEFECTS]
    return keras.Model(backbone.input, keras.layers.Concatenate(name="logits")(logits), name=experiment.heads), backbone


def _pooled(backbone: Any, experiment: TwoStageExperiment) -> Any:
    import keras

    if experiment.pooling == "gap":
        return keras.layers.GlobalAveragePooling2D(name="gap")(backbone.output)
    if experiment.pooling == "stages":
        levels = [backbone.get_layer(name).output for name in backbone_named(experiment.backbone).stages]
        return keras.ops.concatenate([part(level) for level in levels for part in (mean, deviation)], axis=1)
    raise ConfigError((f"pooling: {experiment.pooling!r} is neither gap nor stages",))


def train_stages(
    model: Any, backbone: Any, experiment: TwoStageExperiment, data: tuple[Any, Any], out: Path, backup: Path
) -> None:
    """Train both stages on `data` (training, validation); log, curves and state appear after every epoch.

    `data` are Keras or `tf.data` data sets, or `FixedPictures`: then the frozen layers see every picture only once.
    """
    import keras

    keras.utils.set_random_seed(experiment.seed)
    out.mkdir(parents=True, exist_ok=True)
    stages = (
        ("heads", experiment.head_epochs, experiment.head_learning_rate),
        ("tune", experiment.tune_epochs, experiment.tune_learning_rate),
    )
    for stage, epochs, rate in stages:
        if not epochs:
            continue
        freeze(backbone, experiment, tuned=stage == "tune")
        trained, found, ordering = _stage_data(model, data, experiment, stage)
        compile_model(trained, rate)
        callbacks = [
            keras.callbacks.BackupAndRestore(backup / stage, delete_checkpoint=False),
            keras.callbacks.CSVLogger(str(out / LOG), append=(out / LOG).exists()),
            keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: draw_training(out / LOG, out / CURVES)),
            *ordering,
        ]
        trained.fit(found[0], validation_data=found[1], epochs=epochs, callbacks=callbacks, verbose=2)


def _stage_data(
    model: Any, data: tuple[Any, Any], experiment: TwoStageExperiment, stage: str
) -> tuple[Any, tuple[Any, Any], list[Any]]:
    """Return the part of the model that a stage trains, its training and validation data, and its callbacks."""
    learn, held = data
    if not isinstance(learn, FixedPictures):
        return model, data, []
    parts = split_at_frozen(model, tuned=stage == "tune")
    if parts is not None:
        lower, model = parts
        learn, held = (each.features(lower) for each in data)
    # the two stages have orders of their own, as they have with files that are shuffled again and again
    batches, ordering = as_batches(learn, experiment.batch, experiment.seed + (stage == "tune") * _SEEDS_APART)
    return model, (batches, as_batches(held, experiment.batch, None)[0]), [ordering]


def freeze(backbone: Any, experiment: TwoStageExperiment, *, tuned: bool) -> None:
    """Set which layers of the backbone are trained: none, or the last ones, with or without batch norm."""
    backbone.trainable = tuned
    if not tuned:
        return
    frozen = backbone.layers[: -experiment.tune_layers] if experiment.tune_layers else []
    for layer in backbone.layers:
        norm = type(layer).__name__ == "BatchNormalization"
        layer.trainable = not ((norm and experiment.freeze_batch_norm) or layer in frozen)
        if norm:
            layer.momentum = experiment.batch_norm_momentum


def compile_model(model: Any, rate: float) -> None:
    """Binary cross-entropy of the logits, the multi-label AUC, and the cross-entropy of each head beside it."""
    import keras

    heads = [
        keras.metrics.MeanMetricWrapper(functools.partial(_entropy, head), name=f"bce_{defect}")
        for head, defect in enumerate(NETWORK_DEFECTS)
    ]
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.AUC(multi_label=True, num_labels=3, from_logits=True, name="auc"), *heads],
    )


def _entropy(head: int, labels: Any, logits: Any) -> Any:
    import keras

    return keras.ops.binary_crossentropy(labels[:, head], logits[:, head], from_logits=True)


def with_probabilities(model: Any) -> Any:
    """The trained model with probabilities in place of logits at its end."""
    import keras

    return keras.Model(model.input, keras.layers.Activation("sigmoid", name="probabilities")(model.output))
