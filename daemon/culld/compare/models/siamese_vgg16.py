"""`siamese-vgg16`: the differences of VGG16's features, with a decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culld.compare.model import Network
from culld.compare.siamese import caffe_trunk, siamese

if TYPE_CHECKING:
    from pathlib import Path

_LAYERS = ("block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3")
_DECODER = (32, 48, 64, 96)


def build(size: tuple[int, int], weights: Path | None = None) -> Any:
    """Return the Keras model for frames of this (height, width); `weights` are what Keras saved of VGG16."""
    return siamese(caffe_trunk("VGG16", _LAYERS, size, weights), size, _DECODER)


MODEL = Network("siamese-vgg16", "VGG16 of ImageNet as it is, and a decoder", build)
