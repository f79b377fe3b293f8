"""Classifiers that score the same pictures, each picture made once for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.baselines import Classifier, Frame, Run
from culld.training.context import RunContext
from culld.training.dataset import Scene
from culld.training.evaluate import PictureGroup, predict
from culld.training.report import Predictions

Scores = NDArray[np.float32]
Score = Callable[[str, Sequence[PictureGroup]], Scores]

_THREADS = 2
_CHUNK = 64  # photos whose pictures lie in a frame batch at the same time


class FrameBatch(Protocol):
    """Frames that are scored together."""

    def add(self, number: int, frame: Frame) -> None:
        """Add a frame; from any thread."""

    def judged(self, count: int) -> Scores:
        """Return the scores (count, 3) of the frames 0 to count - 1."""


@dataclass(frozen=True, slots=True)
class Contenders:
    """Classifiers that score frame by frame, and those (`batches`, by name) that score a batch of frames at once."""

    classifiers: tuple[Classifier, ...]
    batches: Mapping[str, Callable[[], AbstractContextManager[FrameBatch]]]

    def predict(self, scenes: Sequence[Scene], seed: int, context: RunContext) -> dict[str, dict[str, Predictions]]:
        """Return the predictions by contender and protocol."""
        found = predict(self.scorer(context.progress), scenes, seed, context)
        return {
            name: {protocol: replace(each, scores=each.scores[:, index]) for protocol, each in found.items()}
            for index, name in enumerate([*(each.name for each in self.classifiers), *self.batches])
        }

    def scorer(self, progress: Callable[[str, int, int], None]) -> Score:
        """Return a `score` function for `predict` that gives one row (contenders, 3) for each picture."""
        local = threading.local()

        def score(phase: str, groups: Sequence[PictureGroup]) -> Scores:
            parts: list[Scores] = []
            with ThreadPoolExecutor(_THREADS) as pool:
                for start in range(0, len(groups), _CHUNK):
                    parts.append(self._score(groups[start : start + _CHUNK], pool, local))
                    progress(phase, sum(map(len, parts)), sum(group.count for group in groups))
            return np.concatenate(parts)

        return score

    def _score(self, groups: Sequence[PictureGroup], pool: ThreadPoolExecutor, local: threading.local) -> Scores:
        with ExitStack() as stack:
            batches = [stack.enter_context(gather()) for gather in self.batches.values()]

            def score_group(first: int, group: PictureGroup) -> Scores:
                runs, frames = self._runs(local), group.make()
                for number, frame in enumerate(frames, start=first):
                    for batch in batches:
                        batch.add(number, frame)
                rows = [[run(frame) for run in runs] for frame in frames]
                return np.array(rows, np.float32).reshape(group.count, len(runs), 3)

            firsts = accumulate((group.count for group in groups), initial=0)
            rows = np.concatenate(list(pool.map(score_group, firsts, groups)))
            return np.concatenate([rows, *(batch.judged(len(rows))[:, None] for batch in batches)], axis=1)

    def _runs(self, local: threading.local) -> list[Run]:
        if not hasattr(local, "runs"):
            local.runs = [classifier.open() for classifier in self.classifiers]
        runs: list[Run] = local.runs
        return runs
