"""Shared by the actions of `culld model`: the context of a run, progress bars, printing of figures."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from culld.imaging.decode import decode
from culld.imaging.encode import jpeg_roundtrip
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.imaging.image_file import DecodeLimits
from culld.inference.litert import LiteRtNetwork
from culld.inference.network import as_function
from culld.training.context import RunContext

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from culld.training.restoration.experiment import RestorationExperiment
    from culld.training.segmentation.experiment import SegmentationExperiment

_NOTICE = (
    "The backbone's weights are those of {backbone} trained on ImageNet, under the Apache License, Version 2.0 "
    "(https://www.apache.org/licenses/LICENSE-2.0). Changed here: {changed}."
)


def origin(backbone: str, weights: str | None, changed: str, added: str) -> dict[str, str]:
    """Return the origin of the backbone's weights for a card, with their licence and notice.

    `changed` and `added` say what became of the weights. Without `weights` all were random.
    """
    if weights is None:
        return {"trunk": f"{backbone} at random", "licence": "none needed", "notice": "no weights of others"}
    return {
        "trunk": f"{backbone}, ImageNet; {changed}",
        "licence": "Apache-2.0",
        "notice": _NOTICE.format(backbone=backbone, changed=f"{changed}, {added}"),
    }


def run_context(
    args: argparse.Namespace, out: Path, progress: Callable[[str, int, int], None], text: str | None
) -> RunContext:
    """Return the context of a run: decoder, engine and cache, and the options of the command line."""

    def engine(model: Path) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
        return as_function(LiteRtNetwork(model))

    return RunContext(
        photos=args.photos,
        weights=_weights(getattr(args, "weights", None)),
        cache=cache_folder(args.cache),
        out=out,
        real_exposure=args.real_exposure,
        decode=decode_file,
        jpeg=jpeg_roundtrip,
        engine=engine,
        progress=progress,
        experiment_text=text,
        real=getattr(args, "real", None),
    )


def cache_folder(given: Path | None) -> Path:
    """Return the folder of the caches of trainings: the given one, or the usual one."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return given or home / "culld" / "training"


def checkpoint_folder(cache: Path | None, experiment: RestorationExperiment | SegmentationExperiment) -> Path:
    """Return the folder of the checkpoints of a run; it has the values in its name: no other run goes on with them."""
    values = hashlib.sha256(json.dumps(asdict(experiment)).encode()).hexdigest()[:12]
    return cache_folder(cache) / f"{experiment.name}-{experiment.version}-{values}"


def _weights(given: str | None) -> Path | str | None:
    return given if given in {None, "imagenet"} else Path(str(given))


def decode_file(path: Path) -> NDArray[np.uint8]:
    """Decode a photo to the network's frame, uint8 RGB (height, width, 3), as the daemon does."""
    with path.open("rb") as stream:
        format_ = recognise(stream.read(HEAD_BYTES))
        stream.seek(0)
        return decode(stream, format_, DecodeLimits())


class ProgressBars:
    """Progress on the terminal, one bar for each phase."""

    def __init__(self) -> None:
        """Prepare the display; a bar appears at the first call for its phase."""
        columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=Console(stderr=True))
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def progress(self, phase: str, done: int, total: int) -> None:
        """Set the bar of a phase to `done` of `total`."""
        if phase not in self._tasks:
            self._tasks[phase] = self._bars.add_task(phase, total=total)
        self._bars.update(self._tasks[phase], completed=done, total=total)


def print_figures(figures: dict[str, Any], indent: str = "") -> None:
    """Print figures as an indented list; a group that contains no other group is printed on one line."""
    for name, value in figures.items():
        if not isinstance(value, dict):
            print(f"{indent}{name}: {value}")
        elif any(isinstance(inner, dict) for inner in value.values()):
            print(f"{indent}{name}:")
            print_figures(value, indent + "  ")
        else:
            print(f"{indent}{name}: " + ", ".join(f"{key} {inner}" for key, inner in value.items()))
