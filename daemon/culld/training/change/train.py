"""Training of a network of change on pairs that are drawn as it goes."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from culld.training.change.losses import DISTANCE, LOGITS, learner, losses
from culld.training.change.pairs import make_pair
from culld.training.dataset import number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from culld.training.change.experiment import ChangeExperiment
    from culld.training.change.pairs import ChangePair
    from culld.training.context import RunContext
    from culld.training.dataset import Scene, Split

    Batch: TypeAlias = tuple[list[NDArray[np.float32]], NDArray[np.float32]]
    Photo: TypeAlias = Callable[[Scene], NDArray[np.uint8]]

KEPT_PHOTOS = 2000
"""How many decoded photos stay in memory: 1.2 GB."""
_AHEAD = 4
_SAVED = 250


def train_change(build: Callable[..., Any], scenes: Split, experiment: ChangeExperiment, context: RunContext) -> Any:
    """Return the trained Keras model for frames of the experiment's crop.

    `build(size, weights)` returns the network with its backbone's weights. Every 250 steps the weights are saved in the
    cache, in `change-NAME.weights.h5`.
    """
    import keras

    keras.utils.set_random_seed(experiment.seed)
    model = build(experiment.crop, context.weights)
    photo = photo_cache(context)
    stages = [(experiment.steps, experiment.learning_rate, False)]
    if experiment.tune_steps:
        stages.append((experiment.tune_steps, experiment.tune_learning_rate, True))
    done, total = 0, experiment.steps + experiment.tune_steps
    context.cache.mkdir(parents=True, exist_ok=True)
    for steps, rate, whole in stages:
        learning = _compiled(model, experiment, steps, rate, whole=whole)
        for inputs, masks in _batches(range(done, done + steps), scenes.train, photo, experiment):
            learning.train_on_batch(inputs, _targets(masks, experiment))
            done += 1
            context.progress("steps", done, total)
            if done % _SAVED == 0:
                model.save_weights(context.cache / f"change-{experiment.name}.weights.h5")
    return model


def photo_cache(context: RunContext) -> Photo:
    """Return a function that decodes the photo of a scene, and keeps the last ones in memory."""

    @functools.lru_cache(maxsize=KEPT_PHOTOS)
    def photo(scene: Scene) -> NDArray[np.uint8]:
        return context.decode(context.photos / scene.file)

    return photo


def _compiled(model: Any, experiment: ChangeExperiment, steps: int, rate: float, *, whole: bool) -> Any:
    """Return the model to train: with its encoder if `whole`, whose batch norm then stays as it is."""
    import keras

    if whole:
        encoder = model.get_layer("encoder")
        encoder.trainable = True
        for layer in encoder.layers:
            layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    learning = learner(model, experiment.loss)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=rate, warmup_steps=max(1, steps // 20), alpha=0.01
    )
    weights = {LOGITS: 1.0, DISTANCE: experiment.weight}
    wanted = losses(experiment.loss, experiment.margin)
    learning.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=1e-4, clipnorm=1.0),
        loss=wanted,
        loss_weights={name: weights[name] for name in wanted},
    )
    return learning


def _targets(masks: NDArray[np.float32], experiment: ChangeExperiment) -> dict[str, NDArray[np.float32]]:
    return dict.fromkeys(losses(experiment.loss, experiment.margin), masks)


def _batches(
    steps: Sequence[int], scenes: Sequence[Scene], photo: Photo, experiment: ChangeExperiment
) -> Iterator[Batch]:
    """Yield the batches of these steps, drawn ahead by one other thread."""
    draw = functools.partial(_batch, scenes=scenes, photo=photo, experiment=experiment)
    with ThreadPoolExecutor(1, "pairs") as pool:
        waiting = [pool.submit(draw, step) for step in steps[:_AHEAD]]
        for step in steps:
            yield waiting.pop(0).result()
            if step + _AHEAD in steps:
                waiting.append(pool.submit(draw, step + _AHEAD))


def _batch(step: int, scenes: Sequence[Scene], photo: Photo, experiment: ChangeExperiment) -> Batch:
    """Return the pairs of one step: each photo is seen once before any is seen again."""
    pairs = [_draw(step * experiment.batch + place, scenes, photo, experiment) for place in range(experiment.batch)]
    frames = [np.stack([getattr(pair, name) for pair in pairs]).astype(np.float32) for name in ("first", "second")]
    return frames, np.stack([pair.mask for pair in pairs]).astype(np.float32)[..., None]


def _draw(number: int, scenes: Sequence[Scene], photo: Photo, experiment: ChangeExperiment) -> ChangePair:
    turn, place = divmod(number, len(scenes))
    order = np.random.default_rng(number_of(experiment.seed, "order", str(turn))).permutation(len(scenes))
    rng = np.random.default_rng(number_of(experiment.seed, "pair", str(number)))
    mine = int(order[place])
    other = (mine + 1 + int(rng.integers(max(len(scenes) - 1, 1)))) % len(scenes)
    return make_pair(photo(scenes[mine]), photo(scenes[other]), rng, size=experiment.crop)
