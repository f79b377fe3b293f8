"""Which files belong together: a pure decision over names."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from culld.photos.formats import EXTENSIONS, RAW_EXTENSIONS
from culld.records import Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from culld.records import Assessment, Place

# Movies and sounds of one shot, and the edits that other programs keep beside a photo.
_KIN_EXTENSIONS = RAW_EXTENSIONS | {
    ".mov", ".mp4", ".wav", ".thm", ".aae", ".pp3", ".arp", ".dop", ".on1", ".vrd",
}  # fmt: skip


def group(assessed: Iterable[Assessment], names_beside: Callable[[Place], Collection[str]]) -> list[Stack]:
    """Put each photo together with its sidecars and its kin; `names_beside` lists the folder that a photo is in."""
    stacks = []
    for assessment in assessed:
        place = assessment.photo.place
        sidecars, kin = companions(place.relative.name, names_beside(place))
        stacks.append(
            Stack(assessment, tuple(place.beside(name) for name in sidecars), tuple(place.beside(name) for name in kin))
        )
    return stacks


def companions(photo: str, names: Collection[str]) -> tuple[list[str], list[str]]:
    """The sidecars of a photo and its kin, out of the names in its folder.

    `a.jpg.xmp` belongs to `a.jpg` alone. `a.xmp` belongs to it unless another photo or RAW shares the stem `a`: then
    nobody can tell whose it is, and it counts as kin, which keeps everything where it is. Case never matters.
    """
    stem = PurePath(photo).stem.casefold()
    own = photo.casefold()
    sidecars, kin = [], []
    shared = any(_is_other_shot(name, stem, own) for name in names)
    for name in sorted(names):
        folded = name.casefold()
        if folded == f"{own}.xmp" or (folded == f"{stem}.xmp" and not shared):
            sidecars.append(name)
        elif folded == f"{stem}.xmp" or _is_kin(folded, stem, own):
            kin.append(name)
    return sidecars, kin


def _is_other_shot(name: str, stem: str, own: str) -> bool:
    path = PurePath(name.casefold())
    return path.name != own and path.stem == stem and path.suffix in EXTENSIONS | RAW_EXTENSIONS


def _is_kin(folded: str, stem: str, own: str) -> bool:
    path = PurePath(folded)
    of_raw = PurePath(own).suffix in RAW_EXTENSIONS and path.suffix in EXTENSIONS
    return path.name != own and (of_raw or path.suffix in _KIN_EXTENSIONS) and path.stem in {stem, own}
