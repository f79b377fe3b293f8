"""The selection of the engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from culld.inference.engine_selection import select_engine
from culld.records import EngineKind

GPU = [Path("/dev/nvidia0")]
AUTO, LITERT, TENSORFLOW = EngineKind


@pytest.mark.parametrize(
    ("asked", "devices", "has_tensorflow", "has_keras_model", "expected", "why"),
    [
        (AUTO, GPU, True, True, TENSORFLOW, "there is a GPU (/dev/nvidia0)"),
        (AUTO, [], True, True, LITERT, "there is no GPU"),
        (AUTO, GPU, False, True, LITERT, "TensorFlow is not installed"),
        (AUTO, GPU, True, False, LITERT, "holds no model.keras"),
        (LITERT, GPU, True, True, LITERT, "model.engine is litert"),
        (TENSORFLOW, [], True, True, TENSORFLOW, "model.engine is tensorflow"),
        (TENSORFLOW, GPU, False, True, LITERT, "TensorFlow is not installed"),
    ],
)
def test_the_fastest_engine_that_can_run_is_taken(
    asked: EngineKind,
    devices: list[Path],
    has_tensorflow: bool,  # noqa: FBT001 (a table)
    has_keras_model: bool,  # noqa: FBT001
    expected: EngineKind,
    why: str,
) -> None:
    """With the reason."""
    choice = select_engine(asked, devices, has_tensorflow=has_tensorflow, has_keras_model=has_keras_model)

    assert choice.kind is expected
    assert why in choice.why
