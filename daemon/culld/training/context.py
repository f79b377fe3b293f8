"""The context of a training run, and its result."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from culld.training.dataset import HARD_TAGS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from culld.records import Defect, OperatingPoint
    from culld.training.dataset import Scene, Split
    from culld.training.render import Jpeg

    Frame = NDArray[np.uint8]
    Run = Callable[[Frame], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a run takes from outside.

    `weights` of the backbone: a file, the word `imagenet`, or None for random ones. `real` is a folder of `real_photos`
    to learn from, `real_exposure` one of mis-exposed photos to measure on. `decode` brings a file into the
    network's frame, `jpeg` saves pixels and reads them again, `engine` opens a LiteRT file for one thread.
    `progress(phase, done, total)` is called as the run goes on. `experiment_text` is the text for `train.yaml`, None
    for the experiment's own values.
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
    real: Path | None = None


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """The result of a run: the digest of the file that ships, and the facts for the card."""

    digest: str
    data: dict[str, Any]
    metrics: dict[str, Any]
    calibration: dict[str, Any]
    operating_points: dict[Defect, tuple[OperatingPoint, ...]]


def describe(scenes: Split, pictures: int, real: Sequence[Scene] = ()) -> dict[str, Any]:
    """Return the facts about the photographs for the card: sources, licences, and how many are in each part.

    `real` are those with real defects and light that were learnt from.
    """
    everything = (*scenes.train, *scenes.calibration, *scenes.test)
    counts = Counter(f"{scene.source} ({scene.licence})" for scene in everything)
    return {
        "scenes": {"train": len(scenes.train), "calibration": len(scenes.calibration), "test": len(scenes.test)},
        "hard_negatives": {tag: sum(tag in scene.tags for scene in everything) for tag in HARD_TAGS},
        "training_pictures": pictures,
        "sources": dict(counts.most_common()),
        "real_photographs": dict(Counter("|".join(sorted(scene.tags)) for scene in real)),
        "real_sources": dict(Counter(f"{scene.source} ({scene.licence})" for scene in real).most_common()),
    }
