"""Compression of patches: every way in which photos lose quality as JPEG, with the patch that it was made from."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.training.restoration.experiment import RestorationExperiment

    Patch = NDArray[np.uint8]

MARGIN: Final = 16
"""Pixels round a patch that are compressed with it and cut off again: the grid of blocks starts anywhere."""
_LOWEST, _HIGHEST = 5, 95
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def compressed(pixels: Patch, quality: int, *, full_colour: bool = False) -> Patch:
    """Return pixels, uint8 RGB (height, width, 3), after JPEG of a quality 1..100, with 4:2:0 or 4:4:4."""
    return decoded(jpeg_file(pixels, quality, full_colour=full_colour))


def jpeg_file(pixels: Patch, quality: int, *, full_colour: bool = False) -> bytes:
    """Return the JPEG file of a picture, uint8 RGB (height, width, 3), of a quality 1..100, with 4:2:0 or 4:4:4."""
    saved = io.BytesIO()
    Image.fromarray(pixels).save(saved, "JPEG", quality=quality, subsampling=0 if full_colour else 2)
    return saved.getvalue()


def decoded(data: bytes) -> Patch:
    """Return the pixels of a file, uint8 RGB (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def pair(wide: Patch, experiment: RestorationExperiment, rng: np.random.Generator) -> tuple[Patch, Patch]:
    """Return a compressed patch and the patch that it was made from.

    `wide` has `MARGIN` more pixels on each side than both.
    """
    if rng.random() < experiment.grey:
        wide = np.repeat(np.rint(wide @ _LUMA).astype(np.uint8)[..., None], 3, axis=2)
    if rng.random() < experiment.clean:
        return _inner(wide), _inner(wide)
    is_twice = rng.random() < experiment.twice
    spoilt = _once(wide, experiment, rng)
    return _inner(_once(spoilt, experiment, rng) if is_twice else spoilt), _inner(wide)


def _once(wide: Patch, experiment: RestorationExperiment, rng: np.random.Generator) -> Patch:
    """Compress with a random quality; up to 7 pixels beside the grid."""
    free = rng.random() < experiment.free_quality
    quality = int(rng.integers(_LOWEST, _HIGHEST + 1)) if free else int(rng.choice(experiment.qualities))
    down, across = (int(value) for value in rng.integers(0, 8, 2))
    full_colour = bool(rng.random() < experiment.full_colour)
    found = wide.copy()
    found[down:, across:] = compressed(np.ascontiguousarray(wide[down:, across:]), quality, full_colour=full_colour)
    return found


def _inner(wide: Patch) -> Patch:
    return wide[MARGIN:-MARGIN, MARGIN:-MARGIN]
