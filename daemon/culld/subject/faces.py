"""Find faces with their eyes in an upright photo, by the network of `models/faces` (YuNet)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.imaging.decode import shrunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from culld.inference.network import Network

    Rows = NDArray[np.float64]

STRIDES = (8, 16, 32)
"""Of the network: an anchor for every such step in pixels of its frame."""
MIN_SCORE = 0.7
"""Of a face, from the large network."""
MIN_FIRST_SCORE = 0.35
"""Of the small network: of 200 photos 37 of 41 with a face pass it, and none of those without (`bench.faces`)."""
MIN_SURE, MIN_SURE_SCORE = 0.08, 0.6
"""From which height, in longer sides of the photo, and score a face of the small network needs no second look."""
MIN_LARGE, MIN_LARGE_SCORE = 0.1, 0.5
"""The same for a face that counts though the large network does not see it."""
MAX_OVERLAP = 0.3
"""Of two boxes with a larger intersection over union only the one with the higher score is kept."""


@dataclass(frozen=True, slots=True)
class Point:
    """A place in an upright photo, in fractions 0..1 of its width and height; outside of 0..1 if it is cut off."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Face:
    """A face in an upright photo, in fractions of its width and height.

    `box` is (x, y, width, height), cut to the photo. `eyes` and `mouth` hold first the one that is on the left of an
    upright face in the picture, which is the person's right one. `score` is that of the network, 0..1.
    """

    box: tuple[float, float, float, float]
    eyes: tuple[Point, Point]
    nose: Point
    mouth: tuple[Point, Point]
    score: float


class FaceDetector:
    """Finds faces by two networks of the same weights, see `training/faces/network`; not to be shared between threads.

    Each takes a frame of uint8 RGB (side, side, 3). The small one looks at every photo, the large one only where the
    small one saw something that may be a face, small or unsure: it takes five times as long. Large faces that are far
    out of focus are seen better by the small one, so the faces of both count.
    """

    def __init__(self, first: Network, full: Network) -> None:
        """Use these networks, from `first.tflite` and `model.tflite` of the model folder."""
        self._first, self._large = _Anchored(first), full

    @cached_property
    def _full(self) -> _Anchored:
        """The large network, which is touched only when it is needed: it may be loaded then."""
        return _Anchored(self._large)

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Face, ...]:
        """Return the faces in an upright photo, uint8 RGB (height, width, 3) of any size; those surer come first.

        The photo is reduced, in its own aspect ratio, to the frames of the networks; a smaller one is not enlarged.
        """
        return self.detect_in(pixels, lambda: pixels)

    def detect_in(self, small: NDArray[np.uint8], pixels: Callable[[], NDArray[np.uint8]]) -> tuple[Face, ...]:
        """Return the faces as `detect` does; the small network looks at `small`, and `pixels` is called if it must be.

        Both are the whole upright photo; its aspect ratio may differ a little in `small`.
        """
        seen, size = self._first.find(small, MIN_FIRST_SCORE)
        if all(_counts(seen, size, MIN_SURE, MIN_SURE_SCORE)):
            return tuple(map(_face, _in_fractions(seen, size)))
        return self._by_both(seen, size, pixels())

    def detect_thoroughly(self, pixels: NDArray[np.uint8]) -> tuple[Face, ...]:
        """Return the faces in an upright photo as `detect` does, but by both networks for every photo."""
        return self._by_both(*self._first.find(pixels, MIN_FIRST_SCORE), pixels)

    def _by_both(self, seen: Rows, size: tuple[int, int], pixels: NDArray[np.uint8]) -> tuple[Face, ...]:
        large = _in_fractions(seen[_counts(seen, size, MIN_LARGE, MIN_LARGE_SCORE)], size)
        found = np.concatenate([_in_fractions(*self._full.find(pixels, MIN_SCORE)), large])
        return tuple(_face(found[index]) for index in _without_overlap(found[:, 1:5]))


class _Anchored:
    """A network that finds faces in a photo, by rows that belong to anchors."""

    def __init__(self, network: Network) -> None:
        ((self._input, spec),) = network.signature.inputs.items()
        (self._output,) = network.signature.outputs
        self._side = spec.shape[0]
        self._network = network
        self._anchors = anchors_of(self._side)

    def find(self, pixels: NDArray[np.uint8], min_score: float) -> tuple[Rows, tuple[int, int]]:
        """Return `select_faces` of some pixels, and the (width, height) that they fill of the network's frame."""
        fitted = pixels if max(pixels.shape) <= self._side else shrunk(pixels, self._side, reducing_gap=1.0)
        height, width, _ = fitted.shape
        frame = np.zeros((1, self._side, self._side, 3), np.uint8)
        frame[0, :height, :width] = fitted
        rows = self._network.run({self._input: frame})[self._output][0]
        return select_faces(rows, self._anchors, min_score), (width, height)


def select_faces(rows: NDArray[Any], anchors: Rows, min_score: float = MIN_SCORE) -> Rows:
    """Return the faces (n, 15) in pixels of the frame, by falling score, from the rows of a network.

    Each has the score, left, top, width and height of the box, and x and y of five points.
    """
    likely = np.flatnonzero(rows[:, 0] >= min_score)
    likely = likely[np.argsort(-rows[likely, 0], kind="stable")]
    found = _decode(rows[likely].astype(np.float64), anchors[likely])
    return found[list(_without_overlap(found[:, 1:5]))]


def anchors_of(side: int) -> Rows:
    """Return column, row and stride in pixels of every anchor (n, 3) of a network for a frame of this side."""
    levels = []
    for stride in STRIDES:
        row, column = np.mgrid[: side // stride, : side // stride].reshape(2, -1)
        levels.append(np.stack([column, row, np.full_like(row, stride)], axis=1))
    return np.concatenate(levels).astype(np.float64)


def _decode(rows: Rows, anchors: Rows) -> Rows:
    """Turn offsets and logarithms in strides into pixels, as OpenCV's `FaceDetectorYN` does."""
    place, stride = anchors[:, :2], anchors[:, 2:]
    centre = (rows[:, 1:3] + place) * stride
    size = np.exp(rows[:, 3:5]) * stride
    points = (rows[:, 5:] + np.tile(place, 5)) * stride
    decoded: Rows = np.concatenate([rows[:, :1], centre - size / 2, size, points], axis=1)
    return decoded


def _without_overlap(boxes: Rows) -> Iterator[int]:
    """Yield the indices of boxes (left, top, width, height), by falling score, that overlap none yielded before."""
    kept: list[int] = []
    for index, box in enumerate(boxes):
        if all(_overlap(box, boxes[other]) <= MAX_OVERLAP for other in kept):
            kept.append(index)
            yield index


def _overlap(one: Rows, other: Rows) -> float:
    """Return the intersection of two boxes over their union, 0..1."""
    least = np.maximum(one[:2], other[:2])
    most = np.minimum(one[:2] + one[2:], other[:2] + other[2:])
    common = math.prod(np.maximum(most - least, 0.0).tolist())
    union = math.prod(one[2:].tolist()) + math.prod(other[2:].tolist()) - common
    return common / union if union > 0 else 0.0


def _counts(rows: Rows, size: tuple[int, int], min_height: float, min_score: float) -> NDArray[np.bool_]:
    """Return which rows in pixels have this height, in longer sides of the photo, and this score, or more."""
    found: NDArray[np.bool_] = (rows[:, 4] >= min_height * max(size)) & (rows[:, 0] >= min_score)
    return found


def _in_fractions(rows: Rows, size: tuple[int, int]) -> Rows:
    """Return rows in pixels as rows in fractions of the photo, which fills this (width, height) of the frame."""
    shares: Rows = rows / np.array([1, *size * 7])
    return shares


def _face(row: Rows) -> Face:
    """Return a row in fractions of the photo as a face; its box is cut to the photo."""
    score, left, top, wide, tall = row[:5].tolist()
    x, y = max(left, 0.0), max(top, 0.0)
    points = [Point(float(across), float(down)) for across, down in row[5:].reshape(5, 2)]
    box = (x, y, min(left + wide, 1.0) - x, min(top + tall, 1.0) - y)
    return Face(box, (points[0], points[1]), points[2], (points[3], points[4]), score)
