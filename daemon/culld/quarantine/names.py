"""Names for a photo and its companions in a folder where some are taken: a pure decision.

All members of a stack change together, so that programs which tie a sidecar to its photo by name still find it:
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
"""Bytes in a name on every Linux file system that matters (NAME_MAX of limits.h)."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a photo and its companions are called; the companions are in the order in which they were given."""

    photo: str
    companions: tuple[str, ...]


def name_suffixes(digest: str, plan: str) -> tuple[str, ...]:
    """What may tell one photo from another of the same name: its content, then also the plan that moves it.

    No counter: two that count at the same time come to the same number.
    """
    by_plan = hashlib.sha256(plan.encode()).hexdigest()
    return ("", digest[:8], f"{digest[:8]}-{by_plan[:8]}", f"{digest[:8]}-{by_plan[:32]}")


def free_names(
    names: Names, tried: Sequence[str], taken: Callable[[Names], bool], *, tails: Collection[str] = ("",)
) -> Names | None:
    """The first way to name the members, mark by mark, under which nothing else goes; None if all are taken.

    `tails` are what will be appended to the photo's name for files beside it, so that there is room for them.
    """
    return next((found for found in _ways(names, tried, tails) if not taken(found)), None)


def _ways(names: Names, tried: Sequence[str], tails: Collection[str]) -> Iterator[Names]:
    for mark in tried:
        if mark:
            yield _marked(names, mark, tails)
        elif _fits(names, tails):
            yield names


def _marked(names: Names, mark: str, tails: Collection[str]) -> Names:
    """Put `~mark` before the extension, shortening the stem by as little as it takes to fit."""
    photo = PurePath(names.photo)
    for kept in range(len(photo.stem), -1, -1):
        found = Names(
            f"{photo.stem[:kept]}~{mark}{photo.suffix}",
            tuple(_along(companion, photo, kept, mark) for companion in names.companions),
        )
        if _fits(found, tails):
            return found
    return Names(f"~{mark}", tuple(f"~{mark}{PurePath(companion).suffix}" for companion in names.companions))


def _along(companion: str, photo: PurePath, kept: int, mark: str) -> str:
    """A companion's name beside the marked photo; its own letter case stays."""
    length = len(photo.stem)
    if companion[:length].casefold() == photo.stem.casefold():
        return f"{companion[:kept]}~{mark}{companion[length:]}"
    return f"{photo.stem[:kept]}~{mark}{photo.suffix}{PurePath(companion).suffix}"


def _fits(names: Names, tails: Collection[str]) -> bool:
    every = [names.photo + tail for tail in tails] + list(names.companions)
    return all(len(os.fsencode(name)) <= _NAME_MAX for name in every)
