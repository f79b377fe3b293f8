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
    """The pictures (n, 384, 512, 3) and labels (n, 3) of a scene in a draw; the first is the clean one."""

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
    """Return the pictures of all draws of these scenes; the clean one of a scene is kept once."""

    def work(scene: Scene) -> tuple[Frames, Labels, list[int]]:
        frames, labels = make(scene, 0)
        rows = list(range(len(labels)))
        for draw in range(1, draws):
            again, known = make(scene, draw)
            rows += [0, *range(len(labels), len(labels) + len(known) - 1)]
            frames, labels = np.concatenate([frames, again[1:]]), np.concatenate([labels, known[1:]])
        return frames, labels, rows

    parts: list[tuple[Frames, Labels, list[int]]] = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(scenes), _AHEAD):
            parts += pool.map(work, scenes[start : start + _AHEAD])
            progress(len(parts), len(scenes))
    firsts = np.cumsum([0, *(len(labels) for _, labels, _ in parts)])
    epoch = np.concatenate([first + np.array(rows) for first, (_, _, rows) in zip(firsts, parts, strict=False)])
    frames, labels = (np.concatenate([part[which] for part in parts]) for which in (0, 1))
    return FixedPictures(frames, labels, epoch)


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
