"""Models of change on a frozen set: the counts of every pair, and the maps of a few pairs for the page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from culld.compare.bench.figures import HALF, PairCounts, best_threshold, count, figures
from culld.compare.bench.frozen_set import HEIGHT, REFOCUSED, WIDTH, BenchPair, pair_digest, set_digest
from culld.compare.bench.results import SetFacts
from culld.training.change.pairs import UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from culld.compare.bench.figures import Figures
    from culld.compare.model import ChangeModel

EXAMPLES_OF_A_KIND = 2


@dataclass(frozen=True, slots=True)
class Example:
    """The pair of this number in the set, and by model the map that it found: uint8 0..255 (height, width)."""

    number: int
    pair: BenchPair
    maps: Mapping[str, NDArray[np.uint8]]


@dataclass(slots=True)
class Measured:
    """What the models found on a set: counts by model, digests and kinds of the pairs in order, and examples."""

    counts: dict[str, list[PairCounts]]
    digests: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)


def measure(
    models: Mapping[str, ChangeModel],
    pairs: Iterable[BenchPair],
    advance: Callable[[], None],
    examples: int = EXAMPLES_OF_A_KIND,
) -> Measured:
    """Run every model on every pair; keep the first `examples` of each kind. `advance` is called after each."""
    found = Measured({name: [] for name in models})
    for pair in pairs:
        maps = {name: model(pair.first, pair.second) for name, model in models.items()}
        for name, probability in maps.items():
            found.counts[name].append(count(pair.scene, pair.kind, probability, pair.mask))
        if found.kinds[pair.kind] < examples:
            small = {name: np.round(probability * 255).astype(np.uint8) for name, probability in maps.items()}
            found.examples.append(Example(len(found.digests), pair, small))
        found.kinds[pair.kind] += 1
        found.digests.append(pair_digest(pair))
        advance()
    return found


def both_figures(calibration: Sequence[PairCounts], test: Sequence[PairCounts]) -> tuple[Figures, Figures]:
    """Return the figures on the test pairs at 0.5, and at the threshold that is the best one of the calibration."""
    refocused = frozenset({REFOCUSED})
    return figures(test, HALF, refocused), figures(test, best_threshold(calibration), refocused)


def set_facts(test: Measured, scenes: int, calibration: int) -> SetFacts:
    """Return the facts about the set of a measurement."""
    return SetFacts(
        pairs=len(test.digests),
        scenes=scenes,
        kinds=dict(sorted(test.kinds.items())),
        empty=(UNCHANGED, REFOCUSED),
        calibration=calibration,
        width=WIDTH,
        height=HEIGHT,
        digest=set_digest(test.digests),
    )
