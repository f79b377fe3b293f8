"""Rough mattes: the subject of a photograph with an even ground, or an arbitrary shape out of any photograph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

_SHRINK = 4  # mattes are found on a frame reduced by this factor
_COLOURS = 4  # the ground at the border of the frame has up to this many colours
_AREA = (0.05, 0.6)  # the share of the frame that a plausible subject covers
_BORDER = 0.7  # the share of the border that a plausible ground covers
_APART = 2.2  # the subject differs from the ground this many times as much as the ground varies


def matte_of(frame: NDArray[np.uint8]) -> Plane | None:
    """Return the matte (0..1, height x width) of the subject before an even ground, or None if there is none."""
    small = _reduced(frame)
    colours, spread = _border_colours(small)
    distance = _distance(small, colours) / spread
    ground = _joined(distance < _threshold(distance))
    body = _joined_inside(~ground)
    ring = np.concatenate([ground[0], ground[-1], ground[:, 0], ground[:, -1]])
    if not _AREA[0] < body.mean() < _AREA[1] or ring.mean() < _BORDER:
        return None
    if np.median(distance[body]) < _APART * np.percentile(distance[~body], 90):
        return None
    return _soft(body)


def blob(shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    """Return the matte of a random shape that covers 8 to 60 % of a frame of this (height, width)."""
    height, width = shape
    rows, columns = np.mgrid[0 : 1 : height // _SHRINK * 1j, 0 : 1 : width // _SHRINK * 1j]
    middle = rng.uniform(0.3, 0.7, 2)
    radius = np.hypot((rows - middle[0]) * rng.uniform(0.8, 1.6), (columns - middle[1]) * rng.uniform(0.8, 1.6))
    field = -radius + _waves(rows, columns, rng) * rng.uniform(0.02, 0.2)
    mask = field > np.quantile(field, 1 - rng.uniform(0.08, 0.6))
    return _soft(mask)


def _waves(rows: NDArray[np.float64], columns: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    total = np.zeros_like(rows)
    for _ in range(6):
        a, b = rng.normal(0, 12, 2)
        total += np.sin(a * rows + b * columns + rng.uniform(0, 6.3)) / np.hypot(a / 6, b / 6).clip(1)
    return total


def _reduced(frame: NDArray[np.uint8]) -> Plane:
    height, width, _ = frame.shape
    blocks = frame.reshape(height // _SHRINK, _SHRINK, width // _SHRINK, _SHRINK, 3).astype(np.float32)
    return np.asarray(blocks.mean(axis=(1, 3)) / 255, np.float32)


def _border_colours(small: Plane) -> tuple[Plane, np.float32]:
    ring = np.concatenate(
        [small[:2].reshape(-1, 3), small[-2:].reshape(-1, 3), small[:, :2].reshape(-1, 3), small[:, -2:].reshape(-1, 3)]
    )
    colours = ring[np.linspace(0, len(ring) - 1, _COLOURS).astype(int)]
    for _ in range(8):
        nearest = np.linalg.norm(ring[:, None] - colours, axis=-1).argmin(axis=1)
        colours = np.stack(
            [ring[nearest == n].mean(axis=0) if (nearest == n).any() else colours[n] for n in range(_COLOURS)]
        )
    spread = np.float32(np.sqrt(np.median(np.min(((ring[:, None] - colours) ** 2).sum(-1), axis=1))) + 0.01)
    return colours, spread


def _distance(small: Plane, colours: Plane) -> Plane:
    return np.asarray(np.linalg.norm(small[:, :, None] - colours, axis=-1).min(axis=-1), np.float32)


def _threshold(distance: Plane) -> float:
    """Otsu's threshold on the logarithm of the distance."""
    values = np.log(distance + 0.3)
    counts, edges = np.histogram(values, 64)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts) / counts.sum()
    mean = np.cumsum(counts * centres) / counts.sum()
    between = (mean[-1] * below - mean) ** 2 / np.maximum(below * (1 - below), 1e-6)
    return float(np.exp(centres[between[:-1].argmax()]) - 0.3)


def _joined(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    border = np.ones_like(mask)
    border[1:-1, 1:-1] = False
    return _filled(mask & border, mask)


def _filled(seed: NDArray[np.bool_], mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    count = -1
    while count != (count := int(seed.sum())):
        seed = _grown(seed) & mask
    return seed


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    wide = mask.copy()
    wide[1:] |= mask[:-1]
    wide[:-1] |= mask[1:]
    wide[:, 1:] |= mask[:, :-1]
    wide[:, :-1] |= mask[:, 1:]
    return wide


def _joined_inside(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Remove specks: erode and grow by two pixels, then keep what is joined to it in the mask."""
    eroded = ~_grown(_grown(~mask))
    return _filled(eroded, mask) if eroded.any() else eroded


def _soft(mask: NDArray[np.bool_]) -> Plane:
    """Enlarge a reduced mask to the frame, with an edge of about four pixels."""
    big = np.repeat(np.repeat(mask.astype(np.float32), _SHRINK, axis=0), _SHRINK, axis=1)
    for axis in (0, 1):
        for _ in range(2):
            padded = np.pad(big, [(2, 2) if n == axis else (0, 0) for n in (0, 1)], mode="edge")
            parts = [np.take(padded, range(at, at + big.shape[axis]), axis=axis) for at in range(5)]
            big = np.asarray(sum(parts) / 5, np.float32)
    return np.asarray(np.clip((big - 0.25) * 2, 0, 1), np.float32)
