"""Free names for a photo and its companions in a folder where some names are taken: a pure decision.

All members of a stack get the same suffix, so that programs which find a sidecar by the photo's name still find it:
`IMG_1.jpg` and `IMG_1.jpg.xmp` become `IMG_1~3fa9c2d4.jpg` and `IMG_1~3fa9c2d4.jpg.xmp`.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

_NAME_MAX = 255
"""The largest length of a name in bytes on Linux file systems (NAME_MAX of limits.h)."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a photo and its companions; the companions keep their order."""

    photo: str
    companions: tuple[str, ...]


def name_suffixes(digest: str, plan: str) -> tuple[str, ...]:
    """Return suffixes that distinguish photos of the same name: by content, then by the plan that moves the photo.

    A counter would not do: two processes that count at the same time reach the same number.
    """
    by_plan = hashlib.sha256(plan.encode()).hexdigest()
    return ("", digest[:8], f"{digest[:8]}-{by_plan[:8]}", f"{digest[:8]}-{by_plan[:32]}")


def free_names(
    names: Names, tried: Sequence[str], taken: Callable[[Names], bool], *, tails: Collection[str] = ("",)
) -> Names | None:
    """Return the names with the first suffix in `tried` for which none of them is taken; None if there is none.

    `tails` are the endings of further files that will be named after the photo; their names must fit as well.
    """
    return next((found for found in _candidates(names, tried, tails) if not taken(found)), None)


def _candidates(names: Names, tried: Sequence[str], tails: Collection[str]) -> Iterator[Names]:
    for suffix in tried:
        if suffix:
            yield _with_suffix(names, suffix, tails)
        elif _fits(names, tails):
            yield names


def _with_suffix(names: Names, suffix: str, tails: Collection[str]) -> Names:
    """Put `~suffix` before the extension, and shorten the stem by as few characters as it takes to fit."""
    photo = PurePath(names.photo)
    for kept in range(len(photo.stem), -1, -1):
        found = Names(
            f"{photo.stem[:kept]}~{suffix}{photo.suffix}",
            tuple(_companion_name(companion, photo, kept, suffix) for companion in names.companions),
        )
        if _fits(found, tails):
            return found
    return Names(f"~{suffix}", tuple(f"~{suffix}{PurePath(companion).suffix}" for companion in names.companions))


def _companion_name(companion: str, photo: PurePath, kept: int, suffix: str) -> str:
    """Return a companion's name beside the photo with the suffix; its own letter case is kept."""
    length = len(photo.stem)
    if companion[:length].casefold() == photo.stem.casefold():
        return f"{companion[:kept]}~{suffix}{companion[length:]}"
    return f"{photo.stem[:kept]}~{suffix}{photo.suffix}{PurePath(companion).suffix}"


def _fits(names: Names, tails: Collection[str]) -> bool:
    every = [names.photo + tail for tail in tails] + list(names.companions)
    return all(len(os.fsencode(name)) <= _NAME_MAX for name in every)
