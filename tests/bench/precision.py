"""How far half precision, as on a GPU, moves the probabilities of real photos, and whether a verdict changes.

TensorFlow computes both on the CPU here, whose half precision is coarser than a GPU's: it also sums up in it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from culld.imaging.decode import to_network_frame
from culld.inference.card import load_card
from culld.inference.tensorflow import _traced, check_half_precision

MODEL = Path(__file__).parents[2] / "models" / "defects"


@dataclass(frozen=True)
class Moved:
    """How much half precision changed the scores of some frames."""

    frames: int
    largest: float
    verdicts: int


def measure(photos: Path, count: int) -> Moved:
    """Judge some photos as they are, out of focus, too dark and too bright, in both precisions."""
    import keras

    model = keras.models.load_model(MODEL / "model.keras")
    single, half = _traced(model), _traced(check_half_precision(model))
    files = sorted(photos.rglob("*.jpg"))
    largest, verdicts, frames = 0.0, 0, 0
    for file in random.Random(1).sample(files, min(count, len(files))):  # noqa: S311
        batch = np.stack(list(_versions(file)))
        was, becomes = (network([batch])[0].numpy() for network in (single, half))
        largest = max(largest, float(np.abs(was - becomes).max()))
        verdicts += int((_verdicts(was) != _verdicts(becomes)).any(axis=1).sum())
        frames += len(batch)
    return Moved(frames, largest, verdicts)


def _versions(file: Path) -> Iterator[NDArray[np.uint8]]:
    with Image.open(file) as photo:
        clean = photo.convert("RGB")
    for each in (clean, clean.filter(ImageFilter.GaussianBlur(4)), *(clean.point(_exposed(by)) for by in (0.3, 2.0))):
        yield to_network_frame(each)


def _exposed(by: float) -> list[int]:
    """Return the lookup table that multiplies the linear light by a factor."""
    return [min(255, round(255 * ((value / 255) ** 2.2 * by) ** (1 / 2.2))) for value in range(256)] * 3


def _verdicts(rows: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return 0 for none, 1 for a tag, 2 for a reject, by the card's thresholds."""
    bounds = load_card(MODEL).thresholds
    return np.stack(
        [
            (rows[:, n] >= bound.tag).astype(int) + (rows[:, n] >= (2 if bound.reject is None else bound.reject))
            for n, bound in enumerate(bounds)
        ],
        axis=1,
    )
