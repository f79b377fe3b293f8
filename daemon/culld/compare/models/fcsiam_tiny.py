"""`fcsiam-tiny`: FC-Siam-diff with a quarter of a million parameters, trained from scratch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culld.compare.model import Network
from culld.compare.siamese import convolution, siamese

if TYPE_CHECKING:
    from pathlib import Path

_WIDTHS = (16, 24, 40, 96)
_DECODER = (12, 16, 32, 64)


def build(size: tuple[int, int], weights: Path | None = None) -> Any:  # noqa: ARG001 - there is no backbone to load
    """Return the Keras model for frames of this (height, width); its weights are random."""
    return siamese(_encoder(size), size, _DECODER)


def _encoder(size: tuple[int, int]) -> Any:
    """Return the encoder, which brings each frame to mean 0 and deviation 1, so that exposure matters little."""
    import keras

    pixels = keras.Input((*size, 3), name="pixels")
    centred = pixels - keras.ops.mean(pixels, axis=(1, 2), keepdims=True)
    deviation = keras.ops.sqrt(keras.ops.mean(keras.ops.square(centred), axis=(1, 2), keepdims=True) + 1.0)
    levels = [convolution(centred / deviation, _WIDTHS[0], stride=2)]
    for width in _WIDTHS[1:]:
        levels.append(convolution(convolution(levels[-1], width, stride=2), width))
    return keras.Model(pixels, levels, name="encoder")


MODEL = Network("fcsiam-tiny", "FC-Siam-diff of 0.27 million parameters, trained from scratch", build)
