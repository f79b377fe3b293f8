"""Groups of copies and of similar shots, from the pairs of photos that are alike; numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from culld.archive.near_duplicates.bands import Pairs, near_pairs
from culld.archive.near_duplicates.likeness import Likeness, same_bytes, same_look

if TYPE_CHECKING:
    from culld.archive.near_duplicates.bands import Places
    from culld.archive.near_duplicates.likeness import Photos


class Kind(StrEnum):
    """What the photos of a group are to each other."""

    COPY = "copy"
    """Files of one shot: the same bytes, or saved again, smaller, or cropped a little."""
    SIMILAR = "similar"
    """Different shots that look alike, such as the frames of a burst; with the copies of each."""


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Places of photos, of one group after the other; the group `number` is `members(number)`."""

    kind: Kind
    places: Places
    starts: Places

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.starts) - 1

    def members(self, number: int) -> Places:
        """Return the places of the photos of a group."""
        return self.places[self.starts[number] : self.starts[number + 1]]


def grouped(photos: Photos) -> tuple[Groups, Groups]:
    """Return the groups of copies, and those of similar shots; the files of one shot alone are no group.

    Each photo of a group resembles one of them, which is not the first: no chain of likeness joins different photos.
    """
    by_bytes, one_each = same_bytes(photos)
    likeness = Likeness.of(photos.at(one_each).upright())
    by_look, chosen = same_look(likeness)
    pairs = _alike(likeness, chosen)
    are_copies = likeness.are_one_shot(chosen[pairs.first], chosen[pairs.second])
    shots = stars(len(chosen), Pairs(pairs.first[are_copies], pairs.second[are_copies]))
    others = Pairs(shots[pairs.first[~are_copies]], shots[pairs.second[~are_copies]])
    scenes = stars(len(chosen), others)
    shot_of_each = shots[by_look[by_bytes]]
    copies = _groups(Kind.COPY, shot_of_each, photos.shot)
    return copies, _groups(Kind.SIMILAR, scenes[shot_of_each], shot_of_each)


def _alike(likeness: Likeness, chosen: Places) -> Pairs:
    """Return the pairs among the chosen photos that are alike, as positions in `chosen`."""
    searched = np.flatnonzero(~likeness.is_plain[chosen])
    rows = chosen[searched]
    found = near_pairs(likeness.photos.hashes[rows], lambda one, other: likeness.are_alike(rows[one], rows[other]))
    return Pairs(searched[found.first], searched[found.second])


def stars(count: int, pairs: Pairs) -> Places:
    """Return for each node the node that stands for its group: itself, or a neighbour with more of them.

    The node with the most neighbours takes all of them that are free, then the next one.
    """
    sources = np.concatenate([pairs.first, pairs.second])
    order = np.argsort(sources, kind="stable")
    targets = np.concatenate([pairs.second, pairs.first])[order]
    degrees = np.bincount(sources, minlength=count)
    ends = np.cumsum(degrees)
    result, is_free = np.arange(count), np.ones(count, np.bool_)
    hubs = np.argsort(-degrees, kind="stable")[: np.count_nonzero(degrees)]
    for hub in hubs.tolist():
        if is_free[hub]:
            near = targets[ends[hub] - degrees[hub] : ends[hub]]
            near = near[is_free[near]]
            result[near] = hub
            is_free[near] = is_free[hub] = False
            result[hub] = hub
    return result


def _groups(kind: Kind, labels: Places, parts: Places) -> Groups:
    """Return the groups of photos with one label, of those that have at least two different parts."""
    order = np.lexsort((parts, labels))
    label, part = labels[order], parts[order]
    starts = np.flatnonzero(np.concatenate([[True], label[1:] != label[:-1]])) if len(label) else np.zeros(0, np.int64)
    ends = np.append(starts[1:], len(label))
    several = part[starts] != part[ends - 1] if len(label) else np.zeros(0, np.bool_)
    sizes = (ends - starts)[several]
    is_in = np.repeat(several, ends - starts)
    return Groups(kind, order[is_in], np.concatenate([[0], np.cumsum(sizes)]))
