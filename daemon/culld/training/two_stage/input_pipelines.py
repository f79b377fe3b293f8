"""Input pipelines of the two-stage training: `tf.data` where there is TensorFlow, Keras' own data sets elsewhere.

They read the tables of `culld model dataset`, or, by default, render other pictures for every epoch out of the clean
photographs: then nothing is written, and no two epochs have the same pictures.
"""

from __future__ import annotations

import csv
import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.errors import ConfigError
from culld.records.frame import HEIGHT, WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.training.dataset import Scene
    from culld.training.two_stage.fixed_pictures import Frames, Labels, Make

_THREADS = 2
_AHEAD = 8  # scenes


def read_table(table: Path) -> tuple[list[Path], Labels]:
    """The pictures and labels (n, 3) of `train.csv` or `val.csv`; raises `ConfigError` if it is no such table."""
    try:
        with table.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        labels = np.array([[row["blur"], row["under"], row["over"]] for row in rows], np.float32)
        return [table.parent / row["path"] for row in rows], labels
    except (OSError, KeyError, ValueError) as error:
        raise ConfigError((f"{table}: is no table of `culld model dataset` ({error})",)) from error


def from_table(table: Path, batch: int, shuffle: int | None) -> Any:
    """A `tf.data` pipeline of (pixels 0..255 float32, labels) in batches; `shuffle` is a seed, None keeps the order."""
    import tensorflow as tf

    files, labels = read_table(table)
    found = tf.data.Dataset.from_tensor_slices(([str(file) for file in files], labels))
    if shuffle is not None:
        found = found.shuffle(len(files), seed=shuffle, reshuffle_each_iteration=True)

    def read(file: Any, label: Any) -> tuple[Any, Any]:
        pixels = tf.image.decode_image(tf.io.read_file(file), channels=3, expand_animations=False)
        return tf.image.resize(tf.cast(pixels, tf.float32), (HEIGHT, WIDTH)), label

    return found.map(read, num_parallel_calls=tf.data.AUTOTUNE).batch(batch).prefetch(tf.data.AUTOTUNE)


def on_the_fly(scenes: Sequence[Scene], make: Make, batch: int, seed: int) -> Any:
    """A `tf.data` pipeline like `from_table`, of other pictures by `make` each time it is iterated."""
    import tensorflow as tf

    epochs = iter(range(2**31))

    def pictures() -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        for frames, labels in _made(scenes, make, next(epochs), seed):
            yield from zip(frames.astype(np.float32), labels, strict=True)

    shapes = (tf.TensorSpec((HEIGHT, WIDTH, 3), tf.float32), tf.TensorSpec((3,), tf.float32))
    found = tf.data.Dataset.from_generator(pictures, output_signature=shapes)
    return found.batch(batch).prefetch(tf.data.AUTOTUNE)


def without_tensorflow(scenes: Sequence[Scene], make: Make, batch: int, seed: int) -> Any:
    """The same as a Keras data set, for the other backends: `batch` scenes at a time, in a new order each epoch."""
    import keras

    class Pictures(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
        def __init__(self) -> None:
            super().__init__(workers=_THREADS, use_multiprocessing=False)
            self._epoch = 0
            self._order = _order(len(scenes), 0, seed)

        def __len__(self) -> int:
            return math.ceil(len(scenes) / batch)

        def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            chosen = self._order[index * batch : (index + 1) * batch]
            made = [make(scenes[place], self._epoch) for place in chosen]
            frames, labels = zip(*made, strict=True)
            return np.concatenate(frames).astype(np.float32), np.concatenate(labels)

        def on_epoch_end(self) -> None:
            self._epoch += 1
            self._order = _order(len(scenes), self._epoch, seed)

    return Pictures()


def _made(scenes: Sequence[Scene], make: Make, epoch: int, seed: int) -> Iterator[tuple[Frames, Labels]]:
    """The pictures of all scenes in this epoch's order, rendered a few scenes ahead."""
    order = _order(len(scenes), epoch, seed)
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(order), _AHEAD):
            yield from pool.map(lambda place: make(scenes[place], epoch), order[start : start + _AHEAD])


def _order(count: int, epoch: int, seed: int) -> list[int]:
    order: list[int] = np.random.default_rng([seed, epoch]).permutation(count).tolist()
    return order
