"""Which engine judges photos: pure, from what is asked for and what is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.records import EngineKind

if TYPE_CHECKING:
    from collections.abc import Sequence


GPUS: Final = (Path("/dev/nvidia0"), Path("/dev/kfd"), Path("/dev/dxg"))
"""The device files of GPUs that TensorFlow computes on: NVIDIA's, AMD's, and those of Linux below Windows."""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine, and why it is the one."""

    kind: EngineKind
    why: str


def select_engine(
    asked: EngineKind, devices: Sequence[Path], *, has_tensorflow: bool, has_keras_model: bool
) -> EngineChoice:
    """LiteRT unless TensorFlow is asked for, or there with a GPU; `devices` are the device files of GPUs.

    On the CPU LiteRT is faster: nothing is gained by TensorFlow without a GPU.
    """
    if asked is EngineKind.LITERT:
        return EngineChoice(EngineKind.LITERT, "model.engine says so")
    if not has_tensorflow:
        return EngineChoice(EngineKind.LITERT, "TensorFlow is not installed")
    if not has_keras_model:
        return EngineChoice(EngineKind.LITERT, "the model's folder holds no model.keras, which TensorFlow needs")
    if asked is EngineKind.TENSORFLOW:
        return EngineChoice(EngineKind.TENSORFLOW, "model.engine says so")
    if not devices:
        return EngineChoice(EngineKind.LITERT, "there is no GPU")
    return EngineChoice(EngineKind.TENSORFLOW, f"there is a GPU ({', '.join(map(str, devices))})")
