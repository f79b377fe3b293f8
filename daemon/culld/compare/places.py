"""The nine places of a photo, by name, and what happens in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Which: TypeAlias = Literal["first", "second"]

_NAMES: Final = (
    ("top left", "top", "top right"),
    ("left", "centre", "right"),
    ("bottom left", "bottom", "bottom right"),
)


@dataclass(frozen=True, slots=True)
class SharperPlace:
    """A place where one frame is sharper: its name, the frame, and the share 0..1 of the place's edges."""

    where: str
    frame: Which
    share: float


@dataclass(frozen=True, slots=True)
class ChangedPlace:
    """A place where the content differs: its name, and the share 0..1 of the whole change that is there."""

    where: str
    share: float


def thirds(plane: NDArray[np.generic]) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """Yield the name and the part of each of the nine places of a plane (height, width); small planes lack some."""
    for names, band in zip(_NAMES, np.array_split(plane, 3, axis=0), strict=True):
        for name, part in zip(names, np.array_split(band, 3, axis=1), strict=True):
            if part.size:
                yield name, part


def sharper_places(values: NDArray[np.float32], marked: float, least: float = 0.3) -> tuple[SharperPlace, ...]:
    """Return where a frame is sharper in at least this share of the textured cells, the largest share first.

    `values` (rows, columns) is above 0 where the first frame is sharper, and NaN where there is no texture; a cell
    counts beyond `marked`.
    """
    found: list[SharperPlace] = []
    for name, part in thirds(values):
        textured = int(np.isfinite(part.astype(np.float32)).sum())
        if textured < 2:
            continue
        for frame, sign in (("first", 1), ("second", -1)):
            share = float((sign * part.astype(np.float32) > marked).sum()) / textured
            if share >= least:
                found.append(SharperPlace(name, "first" if frame == "first" else "second", share))
    return tuple(sorted(found, key=lambda each: -each.share))


def changed_places(changed: NDArray[np.bool_], least: float = 0.2) -> tuple[ChangedPlace, ...]:
    """Return the places that hold at least this share of the change, the largest share first; changed is a mask."""
    total = int(changed.sum())
    shares = ((name, float(part.sum()) / total) for name, part in thirds(changed)) if total else ()
    found = [ChangedPlace(name, share) for name, share in shares if share >= least]
    return tuple(sorted(found, key=lambda each: -each.share))
