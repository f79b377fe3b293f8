"""`siamese-mobilenetv3`: the differences of the features of the small MobileNetV3, with a decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culld.compare.model import Network
from culld.compare.siamese import cut, siamese
from culld.training.backbones import build_backbone

if TYPE_CHECKING:
    from pathlib import Path

_LAYERS = ("conv_bn", "expanded_conv_1_expand_bn", "expanded_conv_3_expand_bn", "expanded_conv_8_expand_bn")
_DECODER = (16, 24, 32, 64)


def build(size: tuple[int, int], weights: Path | None = None) -> Any:
    """Return the Keras model for frames of this (height, width); `weights` are what Keras saved of MobileNetV3Small."""
    return siamese(cut(build_backbone("mobilenetv3small", (*size, 3), weights), _LAYERS), size, _DECODER)


MODEL = Network("siamese-mobilenetv3", "MobileNetV3 small of ImageNet as it is, and a decoder", build)
