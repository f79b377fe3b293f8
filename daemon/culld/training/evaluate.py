"""Measuring finished models: the very bytes that ship, on pictures of scenes that nobody trained on.

First every contender looks at the same pictures (`ask`), each made once; then the answers become figures (`figures`).
"""

from __future__ import annotations

import csv
import statistics
import time
from typing import TYPE_CHECKING

import numpy as np

from culld.errors import ConfigError
from culld.training.bench import Predictions
from culld.training.defects.protocols import clean_ways, kadis_protocol, linear_protocol, strong_blur

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from culld.training.baselines import Run
    from culld.training.bench import Bench, Frame
    from culld.training.defects.dataset import Scene

KADIS_DRAWS = 3
"""The seed's protocol is drawn this often; its figures are means."""


def predict(bench: Bench, scenes: Sequence[Scene], seed: int, real: Path | None) -> dict[str, Predictions]:
    """The answers to every protocol on these scenes, and to a folder of really mis-exposed photos if one is given."""
    protocols = {f"seed {seed + draw}": kadis_protocol(scenes, seed + draw) for draw in range(KADIS_DRAWS)}
    for name, protocol in (("linear", linear_protocol), ("other ways", clean_ways), ("strong blur", strong_blur)):
        protocols[name] = protocol(scenes, seed)
    found = bench.score("pictures to measure on", protocols)
    if real is not None:
        found["real"] = _real(bench, real)
    return found


def milliseconds(run: Run, frames: Sequence[Frame]) -> float:
    """The median time that one look at a frame takes, the first one left out; a fact of this machine and moment."""
    run(frames[0])
    found = []
    for frame in frames:
        start = time.perf_counter()
        run(frame)
        found.append(time.perf_counter() - start)
    return round(statistics.median(found) * 1000, 1)


def _real(bench: Bench, folder: Path) -> Predictions:
    """Photos with the label `under` or `over`; any other label is a mild case that has neither."""
    try:
        with (folder / "index.csv").open(encoding="utf-8", newline="") as lines:
            rows = [(folder / row["file"], row["label"]) for row in csv.DictReader(lines)]
    except (OSError, KeyError) as error:
        raise ConfigError((f"{folder / 'index.csv'}: needs the columns file and label ({error})",)) from error
    scores = bench.score_files("real exposure", [file for file, _ in rows])
    labels = np.array([[0, label == "under", label == "over"] for _, label in rows], np.float32)
    return Predictions(labels, np.array([label for _, label in rows]), (frozenset(),) * len(rows), scores)
