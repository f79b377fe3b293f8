"""`siamese-mobilenetv2`: the differences of MobileNetV2's features, with a decoder that was trained on pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culld.compare.model import Network
from culld.compare.siamese import cut, siamese
from culld.training.backbones import build_backbone

if TYPE_CHECKING:
    from pathlib import Path

_LAYERS = ("Conv1_relu", "block_3_expand_relu", "block_6_expand_relu", "block_13_expand_relu")
_DECODER = (12, 16, 32, 64)


def build(size: tuple[int, int], weights: Path | None = None) -> Any:
    """Return the Keras model for frames of this (height, width); `weights` are those of MobileNetV2 on ImageNet."""
    return siamese(cut(build_backbone("mobilenetv2", (*size, 3), weights), _LAYERS), size, _DECODER)


MODEL = Network("siamese-mobilenetv2", "MobileNetV2 of ImageNet as it is, and a trained decoder", build)
