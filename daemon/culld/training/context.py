"""What a training run is handed, and what it hands back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from culld.training.dataset import HARD_TAGS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from culld.records import Defect, OperatingPoint
    from culld.training.dataset import Split
    from culld.training.render import Jpeg

    Frame = NDArray[np.uint8]
    Run = Callable[[Frame], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a run is handed from outside.

    `weights` of the trunk: a file, the word `imagenet`, or None for random ones. `decode` brings a file into the
    network's frame, `jpeg` saves pixels and reads them again, `engine` opens a LiteRT file for one thread.
    `progress(phase, done, total)` hears how far it is. `experiment_text` is what goes into `train.yaml`, None for the
    experiment's own values.
    """

    photos: Path
    weights: Path | str | None
    cache: Path
    out: Path
    real_exposure: Path | None
    decode: Callable[[Path], Frame]
    jpeg: Jpeg
    engine: Callable[[Path], Run]
    progress: Callable[[str, int, int], None]
    experiment_text: str | None = None


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a run made: the digest of the shipped file, and the facts for the card."""

    digest: str
    data: dict[str, Any]
    metrics: dict[str, Any]
    calibration: dict[str, Any]
    precision: dict[Defect, tuple[OperatingPoint, ...]]


def describe(scenes: Split, pictures: int) -> dict[str, Any]:
    """Where the photographs come from, under which licences, and how many of them did what."""
    everything = (*scenes.train, *scenes.calibration, *scenes.test)
    counts = Counter(f"{scene.source} ({scene.licence})" for scene in everything)
    return {
        "scenes": {"train": len(scenes.train), "calibration": len(scenes.calibration), "test": len(scenes.test)},
        "hard_negatives": {tag: sum(tag in scene.tags for scene in everything) for tag in HARD_TAGS},
        "training_pictures": pictures,
        "sources": dict(counts.most_common()),
    }
