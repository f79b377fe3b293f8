"""Checkpoints of a training that goes step by step, and its batches, which a thread makes ahead."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

Batch = TypeVar("Batch")

_MODEL, _STEP = "checkpoint.keras", "checkpoint.json"
_AHEAD: Final = 4


def load_checkpoint(backup: Path, custom_objects: Mapping[str, Any] | None = None) -> tuple[Any, int] | None:
    """Return the compiled Keras model of the last checkpoint and its number of steps; None if there is none.

    The folder is made. `custom_objects` are those of `keras.models.load_model`.
    """
    import keras

    backup.mkdir(parents=True, exist_ok=True)
    if not (backup / _STEP).exists():
        return None
    steps = int(json.loads((backup / _STEP).read_text("utf-8"))["steps"])
    return keras.models.load_model(backup / _MODEL, custom_objects=custom_objects), steps


def save_checkpoint(model: Any, backup: Path, steps: int) -> None:
    """Write a checkpoint: the model beside the old one, then its number of steps."""
    torn = backup / f"new-{_MODEL}"
    model.save(torn)
    torn.replace(backup / _MODEL)
    (backup / _STEP).write_text(json.dumps({"steps": steps}), "utf-8")


def made_ahead(draw: Callable[[int], Batch], start: int, steps: int) -> Iterator[tuple[int, Batch]]:
    """Yield each step from `start` up to `steps` with its batch."""
    with ThreadPoolExecutor(1, "batches") as thread:
        ahead = [thread.submit(draw, step) for step in range(start, min(start + _AHEAD, steps))]
        for step in range(start, steps):
            yield step, ahead.pop(0).result()
            if step + _AHEAD < steps:
                ahead.append(thread.submit(draw, step + _AHEAD))
