"""The destination of a rejected photo and its sidecars: the same relative path in the quarantine, at a free name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.files.open_beneath import digest_of, exists, open_regular
from culld.files.os_errors import NameTakenError
from culld.files.remove_own import RECORD_SUFFIX
from culld.quarantine.names import Names, free_names, name_suffixes
from culld.records import Move, RootedPath, display_path

if TYPE_CHECKING:
    from collections.abc import Collection
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
