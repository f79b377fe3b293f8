"""The frozen set: pairs of frames with an exact mask of change, the same for the same photos.

Scenes, kinds and parameters follow from the names of the photos and a fixed seed, so that the first N pairs of a larger
set are the set of N pairs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.errors import ConfigError
from culld.training.change.pairs import UNCHANGED, make_pair
from culld.training.dataset import Split, number_of, split
from culld.training.experiment import Splits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from culld.compare.model import Frame
    from culld.training.dataset import Scene

HEIGHT, WIDTH = 384, 512
"""The size of every pair in pixels."""
PHOTO_LONGEST: Final = 1024
"""The longer side of the photos that pairs are made of, in pixels."""
REFOCUSED: Final = "refocused"
"""The kind of the unchanged pairs in which the focus of one frame is changed, everywhere or in a region."""
ORDER: Final = (
    UNCHANGED, "paste", "move", "recolour",
    REFOCUSED, "remove", "paste", "move",
    UNCHANGED, "recolour", "remove", "paste",
    REFOCUSED, "move", "recolour", "remove",
)  # fmt: skip
"""The kinds, in this order again and again: one pair in four is without a change, and half of those are refocused."""

_SEED = 13


@dataclass(frozen=True, slots=True)
class BenchPair:
    """Two frames, uint8 RGB (height, width, 3), and the mask of their change, bool (height, width).

    `scene` names the photo, `kind` is one of `ORDER`.
    """

    scene: str
    kind: str
    first: Frame
    second: Frame
    mask: NDArray[np.bool_]


def frozen_set(scenes: Sequence[Scene], count: int, decode: Callable[[Scene], Frame]) -> Iterator[BenchPair]:
    """Yield `count` pairs of these scenes, each scene used once before any is used again.

    `decode` returns the photo of a scene, uint8 RGB of any size. Part of the next scene is what is pasted into one.
    """
    ordered = sorted(scenes, key=lambda scene: number_of(_SEED, "bench order", scene.file))
    photo = decode(ordered[0])
    for index in range(count):
        scene, other = (ordered[place % len(ordered)] for place in (index, index + 1))
        following = decode(other)
        rng = np.random.default_rng(number_of(_SEED, f"bench pair {index}", scene.file))
        yield _pair(scene.file, ORDER[index % len(ORDER)], photo, following, rng)
        photo = following


def unseen(scenes: Sequence[Scene], splits: Iterable[Splits]) -> Split:
    """Return the default split of the scenes, less the scenes that another one of these splits has on another side.

    So a network that was trained with one of the splits has seen no scene of the test or the calibration. Raises
    ConfigError if no scene is left for one of them.
    """
    found = split(scenes, Splits())
    for other in set(splits) - {Splits()}:
        parts = split(scenes, other)
        calibration, test = (frozenset(scene.file for scene in part) for part in (parts.calibration, parts.test))
        found = Split(
            found.train,
            tuple(scene for scene in found.calibration if scene.file in calibration),
            tuple(scene for scene in found.test if scene.file in test),
        )
    if not found.calibration or not found.test:
        problem = "the networks were trained on each other's test photos: choose networks of one split with --models"
        raise ConfigError((problem,))
    return found


def set_digest(digests: Iterable[str]) -> str:
    """Return the digest of a set, 12 hex digits, from those of its pairs in order."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()[:12]


def pair_digest(pair: BenchPair) -> str:
    """Return the SHA-256 of a pair in hex: its names, both frames, its mask."""
    found = hashlib.sha256(f"{pair.scene}\n{pair.kind}\n{pair.mask.shape}\n".encode())
    for pixels in (pair.first, pair.second, np.packbits(pair.mask)):
        found.update(np.ascontiguousarray(pixels).tobytes())
    return found.hexdigest()


def _pair(scene: str, kind: str, photo: Frame, other: Frame, rng: np.random.Generator) -> BenchPair:
    if kind in {UNCHANGED, REFOCUSED}:
        made = make_pair(photo, other, rng, kind=UNCHANGED, size=(HEIGHT, WIDTH), refocused=kind == REFOCUSED)
    else:
        made = make_pair(photo, other, rng, kind=kind, size=(HEIGHT, WIDTH))
    return BenchPair(scene, kind, made.first, made.second, made.mask)
