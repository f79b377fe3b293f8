"""Pictures that are the same in every epoch, as the source document trains on files, and their order in an epoch.

What the frozen layers compute of them never changes, so it is computed once.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from culld.training.dataset import Scene

    Frames = NDArray[np.uint8]
    Labels = NDArray[np.float32]
    Make = Callable[[Scene, int], tuple[Frames, Labels]]
    """The pictures (n, 384, 512, 3) and labels (n, 3) of a scene in a draw or epoch; the first is the clean one."""

_THREADS = 2
_AHEAD = 8  # scenes
_PREDICTED = 16  # pictures at a time


@dataclass(frozen=True, slots=True)
class FixedPictures:
    """Pictures or what frozen layers made of them, held in memory.

    `inputs` (n, ...) uint8 pixels or float32 features; `labels` (n, 3) of 0 and 1; `epoch` (m) the rows of one epoch: a
    clean picture stands there once for every draw, as often as all defects together.
    """

    inputs: NDArray[np.uint8] | NDArray[np.float32]
    labels: Labels
    epoch: NDArray[np.intp]

    def features(self, lower: Any) -> FixedPictures:
        """Return the outputs of the Keras model `lower`, in inference mode, in place of the inputs."""
        count = len(self.inputs)
        found = np.empty((count, *lower.output_shape[1:]), np.float32)
        for start in range(0, count, _PREDICTED):
            part = slice(start, start + _PREDICTED)
            found[part] = np.asarray(lower.predict_on_batch(self.inputs[part].astype(np.float32)))
        return FixedPictures(found, self.labels, self.epoch)


def render_pictures(
    scenes: Sequence[Scene], make: Make, draws: int, progress: Callable[[int, int], None]
) -> FixedPictures:
    """Return the pictures of all draws of these scenes; the clean one of a scene is kept once.

    `make` must return equally many pictures for every scene and draw.
    """

    def work(scene: Scene) -> tuple[Frames, Labels]:
        frames, labels = zip(*(make(scene, draw) for draw in range(draws)), strict=True)
        return _clean_once(frames), _clean_once(labels)

    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(scenes), _AHEAD):
            for place, (frames, labels) in enumerate(pool.map(work, scenes[start : start + _AHEAD]), start):
                if not place:
                    inputs = np.empty((len(scenes), *frames.shape), np.uint8)
                    truth = np.empty((len(scenes), *labels.shape), np.float32)
                inputs[place], truth[place] = frames, labels
            progress(min(start + _AHEAD, len(scenes)), len(scenes))
    flat = inputs.reshape(-1, *inputs.shape[2:])
    return FixedPictures(flat, truth.reshape(len(flat), -1), _rows(len(scenes), inputs.shape[1], draws))


def _clean_once(draws: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the first row of the first draw, and then the other rows of all draws."""
    return np.concatenate([draws[0][:1], *(each[1:] for each in draws)])


def _rows(scenes: int, kept: int, draws: int) -> NDArray[np.intp]:
    """Return the rows of an epoch: of each scene, for each draw, the clean picture and then its defects."""
    defects = np.arange(1, kept).reshape(draws, -1)
    drawn = np.concatenate([np.zeros((draws, 1), np.intp), defects], axis=1).ravel()
    rows: NDArray[np.intp] = (kept * np.arange(scenes)[:, None] + drawn).ravel()
    return rows


def as_batches(pictures: FixedPictures, batch: int, shuffle: int | None) -> tuple[Any, Any]:
    """Return a Keras data set of the pictures in batches, and the callback that gives each epoch its own order.

    `shuffle` is a seed, None keeps the order. The order depends on the number of the epoch alone, so a run that goes on
    after an interruption has the orders that it would have had.
    """
    import keras

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
        def __init__(self) -> None:
            super().__init__(workers=1, use_multiprocessing=False)
            self.start(0)

        def start(self, epoch: int) -> None:
            rows = pictures.epoch
            self._rows = rows if shuffle is None else np.random.default_rng([shuffle, epoch]).permutation(rows)

        def __len__(self) -> int:
            return math.ceil(len(pictures.epoch) / batch)

        def __getitem__(self, index: int) -> tuple[NDArray[np.float32], Labels]:
            rows = self._rows[index * batch : (index + 1) * batch]
            return pictures.inputs[rows].astype(np.float32), pictures.labels[rows]

    batches = Batches()
    return batches, keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: batches.start(epoch))
