"""Grey photographs of a known level, and the context of an evaluation on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from culld.training.context import RunContext
from culld.training.dataset import Scene

SCENES = [
    Scene("dark.jpg", frozenset({"night_lowkey"}), "drawn", "CC0"),
    Scene("grey.jpg", frozenset(), "drawn", "CC0"),
    Scene("bright.jpg", frozenset(), "drawn", "CC0"),
]
LEVELS = {"dark.jpg": 20, "grey.jpg": 110, "bright.jpg": 200}


@dataclass
class FakeDecoder:
    """Draws the photographs and counts how often each was decoded."""

    decoded: list[str] = field(default_factory=list)

    def decode(self, path: Path) -> np.ndarray:
        """Return a grey frame of the level of this name."""
        self.decoded.append(path.name)
        return np.full((24, 32, 3), LEVELS[path.name], np.uint8)


def brightness(frame: np.ndarray) -> np.ndarray:
    """Score a frame by its corner: dark is under, bright is over, and nothing is ever blurred."""
    level = float(frame[0, 0, 0]) / 255
    return np.array([0.0, 1 - level, level], np.float32)


def run_context(decoder: FakeDecoder | None = None, real_exposure: Path | None = None) -> RunContext:
    """A context that decodes with `decoder`, and whose network is `brightness`."""
    return RunContext(
        photos=Path("photos"),
        weights=None,
        cache=Path("cache"),
        out=Path("out"),
        real_exposure=real_exposure,
        decode=(decoder or FakeDecoder()).decode,
        jpeg=lambda pixels, _quality: pixels,
        engine=lambda _file: brightness,
        progress=lambda *_: None,
    )
