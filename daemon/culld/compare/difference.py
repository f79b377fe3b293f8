"""Compare two photos of one scene: alignment, content, sharpness and light."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from culld.compare.content import LONGEST, content_change
from culld.compare.light import match_light
from culld.compare.places import ChangedPlace, SharperPlace, changed_places, sharper_places
from culld.compare.sharpness_change import MARKED, is_turned, judged
from culld.compare.tile_pairs import tile_pairs
from culld.imaging.align import Alignment, NotComparable, align, scaled_size, warp
from culld.imaging.edge_tiles import TILE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.compare.model import ChangeModel
    from culld.compare.sharpness_change import SharpnessChange

    Frame = NDArray[np.uint8]
    Plane = NDArray[np.float32]

Sharper: TypeAlias = Literal["first", "second", "same", "mixed", "unknown"]

CHANGED: Final = 0.5
"""A pixel counts as changed above this probability."""
LEAST_RATIO: Final = 1.05
"""Edges that are less than this much steeper, over the whole frame, are the same."""
_LEAST_RATIO_SCALED: Final = 1.15  # if one photo was reduced: by an unknown filter, which changes its edges by 1.12
_MIXED: Final = 0.15  # of the textured cells: from this share on for either frame, neither is the sharper one
_SPECK: Final = 7  # px: narrower changes are not counted


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """How the second photo differs from the first one.

    `frames` are both in the frame of the first one, uint8 RGB with a longer side of 768 px at most, and `shared` marks
    the pixels of both. `content` is the probability of other content, float32 0..1 of that size, 0 where not shared;
    `changed` the share 0..1 of the shared pixels above `CHANGED`. `sharpness` is float32 (rows, columns), ln of the
    ratio of edge steepness, above 0 where the first photo is sharper, NaN where neither has edges; `sharpness_ratio`
    is that of the whole photo, above 1 if the first one is sharper. `exposure_ev` is that of the second photo less that
    of the first one, NaN where no part can be compared.
    """

    alignment: Alignment
    frames: tuple[Frame, Frame]
    shared: NDArray[np.bool_]
    content: Plane
    changed: float
    changed_where: tuple[ChangedPlace, ...]
    sharpness: Plane
    sharpness_ratio: float
    sharper: Sharper
    sharper_where: tuple[SharperPlace, ...]
    exposure_ev: float


def compare(first: Frame, second: Frame, model: ChangeModel | None = None) -> Difference | NotComparable:
    """Compare two upright photos of any sizes, uint8 RGB (height, width, 3); the content by a model of change.

    Without one, `content.content_change` finds it.
    """
    alignment = align(first, second)
    if isinstance(alignment, NotComparable):
        return alignment
    with ThreadPoolExecutor(1) as beside:
        tiles = beside.submit(lambda: tile_pairs(_luma(first), _luma(second), alignment.matrix))
        frames, shared = shared_frames(first, second, alignment)
        content = np.where(shared, (model or content_change)(*frames), 0).astype(np.float32)
    changed = without_specks(content > CHANGED)
    pairs = tiles.result()
    sharp = judged(pairs, _clear_of(changed, max(first.shape)), turned=is_turned(alignment.matrix))
    return Difference(
        alignment=alignment,
        frames=frames,
        shared=shared,
        content=content,
        changed=float(changed.sum()) / max(1, int(shared.sum())),
        changed_where=changed_places(changed),
        sharpness=sharp.map,
        sharpness_ratio=sharp.ratio,
        sharper=_sharper(sharp, _LEAST_RATIO_SCALED if pairs.scaled else LEAST_RATIO),
        sharper_where=sharper_places(sharp.map, MARKED),
        exposure_ev=match_light(*frames, shared).exposure_ev,
    )


def shared_frames(first: Frame, second: Frame, alignment: Alignment) -> tuple[tuple[Frame, Frame], NDArray[np.bool_]]:
    """Return both photos in the frame of the first one, at most 768 px, and the mask of the pixels that both have.

    Where the second photo has none, its frame holds the pixels of the first one.
    """
    import cv2

    size = (first.shape[0], first.shape[1])
    height, width = scaled_size(size, LONGEST)
    small = np.asarray(cv2.resize(first, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    warped, valid = warp(second, alignment, size, longest=LONGEST)
    return (small, np.where(valid[..., None], warped, small)), valid


def without_specks(changed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask without what is narrower than `_SPECK` px."""
    import cv2

    opened = cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_OPEN, np.ones((_SPECK, _SPECK), np.uint8))
    return np.asarray(opened > 0)


def _clear_of(changed: NDArray[np.bool_], longest: int) -> NDArray[np.bool_]:
    """Return where the centre of a tile may be that does not touch changed content; `longest` px is the first photo."""
    import cv2

    reach = math.ceil(TILE / 2 * max(changed.shape) / longest)
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    return np.asarray(cv2.dilate(changed.astype(np.uint8), square) == 0)


def _sharper(sharp: SharpnessChange, least: float) -> Sharper:
    known = sharp.map[np.isfinite(sharp.map)]
    if not known.size:
        return "unknown"
    shares = (float((known > MARKED).mean()), float((known < -MARKED).mean()))
    if min(shares) >= _MIXED:
        return "mixed"
    if sharp.lead.tie or abs(math.log(sharp.ratio)) < math.log(least):
        return "same"
    return "first" if sharp.ratio > 1 else "second"


def _luma(frame: Frame) -> NDArray[np.uint8]:
    import cv2

    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)
