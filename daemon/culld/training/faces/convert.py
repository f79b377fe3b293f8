"""Write the two LiteRT files of the face network, which have the same weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.training.export import LITERT_FILE, write_litert
from culld.training.faces.network import build_face_network
from culld.training.faces.onnx_file import read_onnx

if TYPE_CHECKING:
    from pathlib import Path

SIDES = {LITERT_FILE: 640, "first.tflite": 256}
"""The side of the square frame in pixels for each file; the small one is for the first look at every photo."""
NOTICE = (
    "The weights are those of YuNet (yunet_n_640_640.onnx of ShiqiYu/libfacedetection.train), under the Apache "
    "License, Version 2.0 (LICENSE in this folder). Changed here: converted to LiteRT, channels last, RGB in place of "
    "BGR, all outputs joined to one."
)


def convert(weights: Path, out: Path) -> dict[str, str]:
    """Convert the ONNX file of YuNet to two LiteRT files in `out`; returns their SHA-256 in hex by name.

    Raises `ConfigError` if the file is not that of YuNet.
    """
    graph = read_onnx(weights)
    return {
        name: write_litert(build_face_network(graph, side), out / name, size=(side, side))
        for name, side in SIDES.items()
    }
