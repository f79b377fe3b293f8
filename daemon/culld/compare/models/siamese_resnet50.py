"""`siamese-resnet50`: the differences of ResNet-50's features, with a decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culld.compare.model import Network
from culld.compare.siamese import caffe_trunk, siamese

if TYPE_CHECKING:
    from pathlib import Path

_LAYERS = ("conv1_relu", "conv2_block3_out", "conv3_block4_out", "conv4_block6_out")
_DECODER = (32, 48, 64, 96)


def build(size: tuple[int, int], weights: Path | None = None) -> Any:
    """Return the Keras model for frames of this (height, width); `weights` are what Keras saved of ResNet50."""
    return siamese(caffe_trunk("ResNet50", _LAYERS, size, weights), size, _DECODER)


MODEL = Network("siamese-resnet50", "ResNet-50 of ImageNet as it is, and a decoder", build)
