"""The destination of a rejected photo and its sidecars: the same relative path in the quarantine, at a free name.

All members of a stack get the same suffix, so that programs which find a sidecar by the photo's name still find it:
`IMG_1.jpg` and `IMG_1.jpg.xmp` become `IMG_1~3fa9c2d4.jpg` and `IMG_1~3fa9c2d4.jpg.xmp`.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from culld.files.open_beneath import digest_of, exists, open_regular
from culld.files.os_errors import NameTakenError
from culld.files.remove_own import RECORD_SUFFIX
from culld.records import Move, RootedPath, display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from culld.records import Plan


def plan_moves(plan: Plan, quarantine: Path, promised: Collection[RootedPath] = ()) -> tuple[Move, ...]:
    """Return the moves of a plan with the verdict QUARANTINE: its sidecars and those that it creates, then the photo.

    `promised` are the paths that other plans of the batch will take. Each move holds the digest that its file has after
    the plan's rewrites. Raises NameTakenError if every name is taken, another PhotoError if a sidecar cannot be read or
    the quarantine cannot be reached.
    """
    photo = plan.photo.place
    sidecars = _sidecars(plan)
    folder = RootedPath(quarantine, photo.relative)

    def taken(names: Names) -> bool:
        every = (*names.companions, names.photo, names.photo + RECORD_SUFFIX)
        places = [folder.beside(name) for name in every]
        return any(place in promised or exists(place) for place in places)

    digest = _digest(plan, photo)
    wanted = Names(photo.relative.name, tuple(place.relative.name for place in sidecars))
    names = free_names(wanted, name_suffixes(plan.photo.digest, plan.id), taken, tails=(RECORD_SUFFIX,))
    if names is None:
        raise NameTakenError(
            f"every name for {display_path(photo.path)} in the quarantine is taken; it stays where it is"
        )
    moves = [
        Move(place, folder.beside(name), _digest(plan, place))
        for place, name in zip(sidecars, names.companions, strict=True)
    ]
    return (*moves, Move(photo, folder.beside(names.photo), digest))


def record_place(moves: tuple[Move, ...]) -> RootedPath:
    """Return the path of a photo's record: beside the photo, which is the last of its plan's moves."""
    photo = moves[-1].target
    return photo.beside(photo.relative.name + RECORD_SUFFIX)


def filled_by(moves: tuple[Move, ...]) -> set[RootedPath]:
    """Return the paths in the quarantine that these moves take, including that of the record."""
    return {record_place(moves), *(move.target for move in moves)}


def _sidecars(plan: Plan) -> list[RootedPath]:
    created = [rewrite.place for rewrite in plan.rewrites if rewrite.place != plan.photo.place]
    return sorted({*plan.stack.sidecars, *created}, key=lambda place: place.relative.name)


def _digest(plan: Plan, place: RootedPath) -> str:
    for rewrite in reversed(plan.rewrites):
        if rewrite.place == place:
            return rewrite.after
    if place == plan.photo.place:
        return plan.photo.digest
    with open_regular(place) as stream:
        return digest_of(stream)


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
