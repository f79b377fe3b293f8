"""The figures of models of change on drawn pairs of scenes that they were not trained on."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from culld.training.change.pairs import UNCHANGED, make_pair
from culld.training.dataset import number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from culld.training.change.pairs import ChangePair
    from culld.training.change.train import Photo
    from culld.training.dataset import Scene

    Frame: TypeAlias = NDArray[np.uint8]
    Model: TypeAlias = Callable[[Frame, Frame], NDArray[np.float32]]

STEPS = 200
"""Probabilities are counted in so many steps."""
REFOCUSED = "refocused"
_SIZE = (384, 512)
_RESAMPLED = 1000
_EVERY = 3


@dataclass(frozen=True, slots=True)
class Counts:
    """How many pixels of each pair reach each threshold: `inside` and outside of its mask, int64 (pairs, STEPS + 1).

    Column i counts the pixels whose probability is at least i / STEPS. `kinds` has the kind of each pair.
    """

    kinds: tuple[str, ...]
    inside: NDArray[np.int64]
    outside: NDArray[np.int64]


def drawn_pairs(scenes: Sequence[Scene], photo: Photo, seed: int) -> Iterator[ChangePair]:
    """Yield a pair of each scene, 384x512, and for every third scene one more that is refocused and else unchanged.

    The kinds take turns in the order of a hash. An unchanged pair is not refocused, a changed one in one case of three.
    """
    order = sorted(scenes, key=lambda scene: number_of(seed, "measured", scene.file))
    kinds = (UNCHANGED, "paste", "remove", "move", "recolour")
    for place, scene in enumerate(order):
        other, kind = order[(place + 1) % len(order)], kinds[place % len(kinds)]
        rng = np.random.default_rng(number_of(seed, "measured pair", scene.file))
        unfocused = False if kind == UNCHANGED else None
        yield make_pair(photo(scene), photo(other), rng, kind=kind, size=_SIZE, refocused=unfocused)
        if place % _EVERY == 0:
            yield make_pair(photo(scene), photo(other), rng, kind=UNCHANGED, size=_SIZE, refocused=True)


def pair_count(scenes: Sequence[Scene]) -> int:
    """Return how many pairs `drawn_pairs` yields."""
    return len(scenes) + -(-len(scenes) // _EVERY)


def count(
    models: Mapping[str, Model], pairs: Iterator[ChangePair], progress: Callable[[int], object]
) -> dict[str, Counts]:
    """Return the counts of each model on the same pairs; an unchanged pair that is refocused has the kind of that name.

    `progress` is called with the number of pairs so far.
    """
    kinds: list[str] = []
    rows: dict[str, list[tuple[NDArray[np.int64], NDArray[np.int64]]]] = {name: [] for name in models}
    for pair in pairs:
        blurred = pair.kind == UNCHANGED and bool(pair.refocused.any())
        kinds.append(REFOCUSED if blurred else pair.kind)
        for name, model in models.items():
            probability = model(pair.first, pair.second)
            rows[name].append((_reached(probability[pair.mask]), _reached(probability[~pair.mask])))
        progress(len(kinds))
    return {
        name: Counts(tuple(kinds), *(np.stack(side) for side in zip(*found, strict=True)))
        for name, found in rows.items()
    }


def best_threshold(counts: Counts) -> float:
    """Return the threshold with the largest F1 of all pixels but those of refocused pairs."""
    mixed = np.array([kind != REFOCUSED for kind in counts.kinds])
    hit, false, missed = _errors(counts, mixed)
    score = 2 * hit / np.maximum(2 * hit + false + missed, 1)
    return float(np.argmax(score[1:]) + 1) / STEPS


def figures(counts: Counts, threshold: float) -> dict[str, Any]:
    """Return the figures at a threshold, each as [value, from, to]: 95 % intervals, pairs drawn again with repetition.

    `micro` counts the pixels of all pairs but the refocused ones, `per_pair` is the mean over the changed pairs, and
    `by_kind` the same for each kind. `false_alarm_area` is the mean share of unchanged pairs that counts as changed.
    """
    kinds = np.array(counts.kinds)
    column = round(threshold * STEPS)
    hit, false = counts.inside[:, column], counts.outside[:, column]
    missed = counts.inside[:, 0] - hit
    alarm = false / np.maximum(counts.outside[:, 0], 1)
    changed = ~np.isin(kinds, (UNCHANGED, REFOCUSED))
    table = np.stack((hit, false, missed, alarm), axis=1).astype(np.float64)
    return {
        "threshold": threshold,
        "pairs": int((kinds != REFOCUSED).sum()),
        "micro": _overlaps(table[kinds != REFOCUSED], _micro),
        "per_pair": _overlaps(table[changed], _per_pair),
        "by_kind": {
            str(kind): {"pairs": int((kinds == kind).sum()), **_overlaps(table[kinds == kind], _per_pair)}
            for kind in dict.fromkeys(kinds[changed])
        },
        "false_alarm_area": {
            kind: _interval(table[kinds == kind], lambda rows: float(rows[:, 3].mean()), 5)
            for kind in (UNCHANGED, REFOCUSED)
            if (kinds == kind).any()
        },
    }


def _reached(probability: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return how many probabilities reach each step; the first number counts all of them."""
    steps = np.floor(np.clip(probability, 0, 1) * STEPS + 1e-4).astype(np.int64)
    return np.cumsum(np.bincount(steps, minlength=STEPS + 1)[::-1])[::-1]


def _errors(counts: Counts, rows: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the hits, the false alarms and the misses of some pairs together, at each threshold."""
    hit, false = counts.inside[rows].sum(axis=0), counts.outside[rows].sum(axis=0)
    return hit, false, counts.inside[rows, 0].sum() - hit


def _overlaps(table: NDArray[np.float64], reduce: Callable[..., float]) -> dict[str, list[float]]:
    """Return IoU and F1 with their intervals, from a function of rows that counts hits once or `twice`."""
    return {
        name: _interval(table, functools.partial(reduce, twice=twice), 4) for name, twice in (("iou", 1), ("f1", 2))
    }


def _micro(rows: NDArray[np.float64], *, twice: int) -> float:
    return _per_pair(rows.sum(axis=0, keepdims=True), twice=twice)


def _per_pair(rows: NDArray[np.float64], *, twice: int) -> float:
    """Return the mean overlap: IoU, or F1 if hits count `twice`."""
    hits = twice * rows[:, 0]
    return float((hits / np.maximum(hits + rows[:, 1] + rows[:, 2], 1)).mean())


def _interval(table: NDArray[np.float64], reduce: Callable[[NDArray[np.float64]], float], digits: int) -> list[float]:
    rng = np.random.default_rng(1)
    drawn = [reduce(table[rng.integers(len(table), size=len(table))]) for _ in range(_RESAMPLED)]
    return [round(float(value), digits) for value in (reduce(table), *np.quantile(drawn, (0.025, 0.975)))]
