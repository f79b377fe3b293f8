"""The bench where everybody looks at the same pictures, each of them made once."""

from __future__ import annotations

import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate, chain, repeat
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from culld.training.defects.augment import Augmentation, render

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.training.baselines import Classifier, Run
    from culld.training.defects.augment import Jpeg
    from culld.training.defects.dataset import Sample

    Frame = NDArray[np.uint8]
    Scores = NDArray[np.float32]
    Progress = Callable[[str, int, int], None]
    Batches = Mapping[str, Callable[[], AbstractContextManager["FrameBatch"]]]

_T = TypeVar("_T")
_THREADS = 2
_CHUNK = 64


class FrameBatch(Protocol):
    """Frames that somebody wants to judge together."""

    def add(self, number: int, frame: Frame) -> None:
        """Put a frame on it; from any thread."""

    def judged(self, count: int) -> Scores:
        """The rows (count, 3) of the frames 0 to count - 1."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What everybody said of the pictures of one protocol.

    `labels` (n, 3); `groups` (n) names of what was done; `tags` what kind of scene each picture shows; `scores` (n, 3)
    by contender.
    """

    labels: NDArray[np.float32]
    groups: NDArray[np.str_]
    tags: tuple[frozenset[str], ...]
    scores: dict[str, Scores]


@dataclass(frozen=True, slots=True)
class Bench:
    """What is needed to look at pictures.

    The photo folder, the decoder, JPEG and back, those who look frame by frame, and those (`batches`, by name) who
    want a pile of frames.
    """

    photos: Path
    decode: Callable[[Path], Frame]
    jpeg: Jpeg
    contenders: tuple[Classifier, ...]
    progress: Progress
    batches: Batches

    def score(self, phase: str, protocols: Mapping[str, Sequence[Sample]]) -> dict[str, Predictions]:
        """What everybody says of each protocol; a scene is decoded once and a picture made once for all of them."""
        scenes: dict[str, dict[object, Sample]] = {}
        for variant in chain.from_iterable(protocols.values()):
            scenes.setdefault(variant.scene.file, {}).setdefault(_picture(variant), variant)
        pictures = chain.from_iterable(scenes.values())
        place = {picture: number for number, picture in enumerate(pictures)}
        scores = self._each(phase, [list(wanted.values()) for wanted in scenes.values()], self._scene)
        found = {}
        for name, variants in protocols.items():
            rows = [place[_picture(variant)] for variant in variants]
            found[name] = _answers(variants, {who: said[rows] for who, said in scores.items()})
        return found

    def score_files(self, phase: str, files: Sequence[Path]) -> dict[str, Scores]:
        """What everybody says of photos as they are."""
        return self._each(phase, [[file] for file in files], lambda group: [self.decode(file) for file in group])

    def _scene(self, group: list[Sample]) -> list[Frame]:
        frame = self.decode(self.photos / group[0].scene.file)
        return [render(frame, variant, self.jpeg) for variant in group]

    def _each(
        self, phase: str, groups: Sequence[list[_T]], make: Callable[[list[_T]], list[Frame]]
    ) -> dict[str, Scores]:
        local = threading.local()
        parts: dict[str, list[Scores]] = defaultdict(list)

        def look(first: int, group: list[_T], piles: Collection[FrameBatch]) -> Scores:
            if not hasattr(local, "runs"):
                local.runs = [contender.open() for contender in self.contenders]
            runs: list[Run] = local.runs
            frames = make(group)
            for number, frame in enumerate(frames, start=first):
                for pile in piles:
                    pile.add(number, frame)
            return np.array([[run(frame) for run in runs] for frame in frames], np.float32).reshape(-1, len(runs), 3)

        with ThreadPoolExecutor(_THREADS) as pool:
            for chunk in _chunks(groups):
                with ExitStack() as stack:
                    piles = {name: stack.enter_context(gather()) for name, gather in self.batches.items()}
                    firsts = accumulate(map(len, chunk), initial=0)
                    rows = np.concatenate(list(pool.map(look, firsts, chunk, repeat(piles.values()))))
                    for name, pile in piles.items():
                        parts[name].append(pile.judged(len(rows)))
                for index, contender in enumerate(self.contenders):
                    parts[contender.name].append(rows[:, index])
                self.progress(phase, sum(map(len, next(iter(parts.values())))), sum(map(len, groups)))
        return {name: np.concatenate(found) for name, found in parts.items()}


def _picture(variant: Sample) -> tuple[object, ...]:
    """What makes a picture the same as another one: without any step nothing in it is left to chance."""
    untouched = not variant.steps and variant.journey == Augmentation()
    return variant.scene.file, variant.steps, variant.journey, 0 if untouched else variant.seed


def _answers(variants: Sequence[Sample], scores: dict[str, Scores]) -> Predictions:
    labels = np.array([variant.labels for variant in variants], np.float32)
    groups = np.array([variant.group for variant in variants])
    return Predictions(labels, groups, tuple(variant.scene.tags for variant in variants), scores)


def _chunks(groups: Sequence[list[_T]]) -> Iterator[Sequence[list[_T]]]:
    return (groups[start : start + _CHUNK] for start in range(0, len(groups), _CHUNK))
