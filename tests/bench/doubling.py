"""A scale of 2: how much nearer to a photo its half becomes again by the network, before or after Lanczos, or both."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.restoration import scores_psnr, spelled
from culld.enhance.gain import gain, load_rule
from culld.enhance.restore import open_restoration, restore
from culld.imaging.repairable import doubled
from culld.training.restoration.measure import figure

Pixels = NDArray[np.uint8]
QUALITIES = (10, 50, None)
"""With which the half is compressed; None: not at all."""
ORDERS = ("before Lanczos", "after Lanczos", "both")


def halved(photo: Pixels) -> tuple[Pixels, Pixels]:
    """Return the half of a photo, and the photo with an even number of rows and columns."""
    height, width = (length // 2 * 2 for length in photo.shape[:2])
    even = np.ascontiguousarray(photo[:height, :width])
    return np.asarray(Image.fromarray(even).resize((width // 2, height // 2), Image.Resampling.LANCZOS)), even


def compressed(pixels: Pixels, quality: int | None) -> Pixels:
    """Return pixels after JPEG; as they are for None."""
    if quality is None:
        return pixels
    saved = io.BytesIO()
    Image.fromarray(pixels).save(saved, "JPEG", quality=quality)
    return np.asarray(Image.open(saved))


def gains(photos: Iterable[Pixels], model: Path) -> dict[int | None, dict[str, list[float]]]:
    """Return how much nearer than Lanczos alone each order is, in dB, for each photo."""
    network, rule = open_restoration(model), load_rule(model)
    found: dict[int | None, dict[str, list[float]]] = {
        quality: {order: [] for order in ORDERS} for quality in QUALITIES
    }
    for photo in photos:
        half, even = halved(photo)
        for quality in QUALITIES:
            small = compressed(half, quality)
            repaired = restore(small, network)
            first = repaired if gain(small, repaired, quality, rule).is_real else small
            plain = doubled(small)
            results = (doubled(first), restore(plain, network), restore(doubled(first), network))
            alone = scores_psnr(plain, even)
            for order, pixels in zip(ORDERS, results, strict=True):
                found[quality][order].append(scores_psnr(pixels, even) - alone)
    return found


def lines(photos: Sequence[Pixels], model: Path) -> list[list[str]]:
    """The lines of the table: the order that ships is `both`."""
    return [
        [
            f"scale 2, {'without compression' if quality is None else f'q{quality}'}, above Lanczos",
            "above 0",
            "; ".join(f"{order} {spelled(figure(values))}" for order, values in orders.items()),
        ]
        for quality, orders in gains(photos, model).items()
    ]
