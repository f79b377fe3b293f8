"""Which files in a folder belong to a photo, and which of them is its XMP sidecar, by their names alone."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from culld.records import SidecarStyle

if TYPE_CHECKING:
    from collections.abc import Iterable

EDITOR_SUFFIXES: Final = frozenset({".pp3", ".arp", ".dop", ".on1", ".vrd"})
"""Sidecars with edits: RawTherapee, ART, DxO PhotoLab, ON1, Canon DPP."""

_SIDECAR_SUFFIXES: Final = frozenset({".xmp", ".wav", ".thm", ".aae"}) | EDITOR_SUFFIXES
"""Tags, a spoken note, a small preview, the edits of a phone, the edits of a program."""

_DESCRIBING_SUFFIXES: Final = _SIDECAR_SUFFIXES | {".json", ".txt"}
"""Files that describe another file, and so have no sidecar of their own."""

_BACKUP_ENDINGS: Final = ("~", "_original")
"""Editors keep `a.jpg~`, exiftool keeps `a.jpg_original`."""

NUMBERED: Final = re.compile(r"(.+)_\d\d(\.[^.]+)$")
"""darktable's duplicates: `a_01.jpg.xmp` holds a second version of `a.jpg`."""

COPY_ENDING: Final = ".enhanced.jpg"
"""The repaired copy of `a.jpg` or `a.NEF` is `a.enhanced.jpg`."""

_MAX_NAME_BYTES: Final = 255
"""NAME_MAX of limits.h, which holds on every common Linux file system."""


@dataclass(frozen=True, slots=True)
class SidecarNames:
    """The sidecars of a photo by their names, in order.

    `full` are named after the whole name of the photo (`a.jpg.xmp`) and belong to it alone. `short` are named after its
    stem (`a.xmp`); they may as well belong to one of the `rivals`, the other files with this stem (`a.CR2`).
    """

    full: tuple[str, ...]
    short: tuple[str, ...]
    rivals: tuple[str, ...]


def copy_name(photo: str) -> str:
    """Return the name of the repaired copy of a photo."""
    return _stem(photo) + COPY_ENDING


def stem_of_parent(name: str) -> str | None:
    """Return the stem of the photo that a file of this name is a repaired copy of; None if it is no name of a copy."""
    stem = name.removesuffix(COPY_ENDING)
    return stem if stem and stem != name else None


def sidecars_of(photo: str, folder: Iterable[str]) -> SidecarNames:
    """Return the sidecars of `photo` among the names in its folder.

    Letter case does not count, but `A.jpg.xmp` belongs to `A.jpg` where that is in the folder beside `a.jpg`. A name in
    the style of darktable's duplicates belongs to the photo unless there is another photo of that name.
    """
    others = frozenset(folder) - {photo}
    names, own, stem = sorted(others), photo.casefold(), _stem(photo.casefold())
    full = [name for name in names if _has_full_name(name, own, others)]
    short = [name for name in names if name not in full and _is_sidecar(name) and _stem(name.casefold()) == stem]
    rivals = [name for name in names if _stem(name.casefold()) == stem and not _describes_or_copies(name)]
    return SidecarNames(tuple(full), tuple(short), tuple(rivals))


def sidecar_name(photo: str, folder: Iterable[str], style: SidecarStyle = SidecarStyle.FULL) -> str | None:
    """Return the name of the XMP sidecar of `photo`, there or not yet; None where none is safe or fits.

    An existing sidecar is used whatever the case of its letters, and no second one is made beside it; of two, the one
    in the wanted style is used. A new one is called `a.xmp` where `a.jpg.xmp` is too long. `a.xmp` is not used when
    another file has the stem `a` as well.
    """
    found = sidecars_of(photo, folder)
    full, short = f"{photo}.xmp", f"{_stem(photo)}.xmp"
    found_full = _spelled_like(full, found.full)
    found_short = [] if found.rivals else _spelled_like(short, found.short)
    chosen = (found_full or found_short) if style is SidecarStyle.FULL else (found_short or found_full)
    if chosen:
        return chosen[0] if len(chosen) == 1 else None
    if style is SidecarStyle.FULL and fits(full):
        return full
    return short if fits(short) and not found.rivals else None


def fits(name: str) -> bool:
    """Whether a file can have this name."""
    return len(os.fsencode(name)) <= _MAX_NAME_BYTES


def duplicate_of(sidecar: str) -> str | None:
    """The photo, in lower case, whose duplicate a sidecar called `a_01.jpg.xmp` may be; None for any other name."""
    path = PurePosixPath(sidecar.casefold())
    numbered = NUMBERED.match(path.stem) if path.suffix == ".xmp" else None
    return None if numbered is None else numbered[1] + numbered[2]


def _has_full_name(name: str, own: str, others: frozenset[str]) -> bool:
    """Whether a file is named after the whole name of a photo (in lower case) and of no other file."""
    if not _is_sidecar(name) or _stem(name) in others:
        return False
    described = _stem(name.casefold())
    return described == own or (duplicate_of(name) == own and all(other.casefold() != described for other in others))


def _spelled_like(wanted: str, found: Iterable[str]) -> list[str]:
    """The names that differ from the wanted one in case only; that one alone where it is among them."""
    equal = [name for name in found if name.casefold() == wanted.casefold()]
    return [wanted] if wanted in equal else equal


def _is_sidecar(name: str) -> bool:
    return PurePosixPath(name).suffix.casefold() in _SIDECAR_SUFFIXES


def _describes_or_copies(name: str) -> bool:
    suffix = PurePosixPath(name).suffix.casefold()
    return suffix in _DESCRIBING_SUFFIXES or suffix.endswith(_BACKUP_ENDINGS)


def _stem(name: str) -> str:
    return PurePosixPath(name).stem
