"""Select the engine that scores photos, from the configuration and what is installed; no side effects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.records import EngineKind

if TYPE_CHECKING:
    from collections.abc import Sequence


GPUS: Final = (Path("/dev/nvidia0"), Path("/dev/kfd"), Path("/dev/dxg"))
"""The device files of the GPUs that TensorFlow supports: NVIDIA, AMD, and WSL 2."""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine, and why it was selected, as a clause."""

    kind: EngineKind
    why: str


def select_engine(
    asked: EngineKind, devices: Sequence[Path], *, has_tensorflow: bool, has_keras_model: bool
) -> EngineChoice:
    """Return TensorFlow if it can be used and `asked` is TensorFlow or there is a GPU; otherwise LiteRT.

    `devices` are the GPU device files that exist. On the CPU LiteRT is faster than TensorFlow.
    """
    if asked is EngineKind.LITERT:
        return EngineChoice(EngineKind.LITERT, "model.engine is litert")
    if not has_tensorflow:
        return EngineChoice(EngineKind.LITERT, "TensorFlow is not installed")
    if not has_keras_model:
        return EngineChoice(EngineKind.LITERT, "the model's folder holds no model.keras, which TensorFlow needs")
    if asked is EngineKind.TENSORFLOW:
        return EngineChoice(EngineKind.TENSORFLOW, "model.engine is tensorflow")
    if not devices:
        return EngineChoice(EngineKind.LITERT, "there is no GPU")
    return EngineChoice(EngineKind.TENSORFLOW, f"there is a GPU ({', '.join(map(str, devices))})")
