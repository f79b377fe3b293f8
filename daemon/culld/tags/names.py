"""Which file beside a photo is its sidecar."""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from culld.records import SidecarStyle

if TYPE_CHECKING:
    from collections.abc import Iterable

# Files that describe another one; everything else of the same stem is a rival for `a.xmp`.
_COMPANIONS = frozenset({".xmp", ".pp3", ".arp", ".dop", ".on1", ".vrd", ".aae", ".thm", ".wav", ".json", ".txt"})


_NAME_MAX = 255
"""Bytes in a name on every Linux file system that matters (NAME_MAX of limits.h)."""


def fits(name: str) -> bool:
    """Whether a file can have this name."""
    return len(os.fsencode(name)) <= _NAME_MAX


def sidecar_name(photo: str, folder: Iterable[str], style: SidecarStyle = SidecarStyle.FULL) -> str | None:
    """The name of the sidecar of `photo`, of which `folder` lists the neighbours; None where none is safe or fits.

    One that is there is taken, whatever the case of its letters, and never a second one made beside it; of two, the
    one in the wanted style. A new one is called `a.xmp` where `a.jpg.xmp` is too long. `a.xmp` is not ours when another
    picture, RAW file or movie is called `a` as well.
    """
    names = frozenset(folder) - {photo}
    path = PurePosixPath(photo)
    full, adobe = f"{photo}.xmp", f"{path.stem}.xmp"
    found_full = _matches(full, names)
    found_adobe = _matches(adobe, names)
    shared = _is_shared(path, names)
    if shared:
        found_adobe = []
    chosen = (found_full or found_adobe) if style is SidecarStyle.FULL else (found_adobe or found_full)
    if chosen:
        return chosen[0] if len(chosen) == 1 else None
    if style is SidecarStyle.FULL and fits(full):
        return full
    return adobe if fits(adobe) and not shared else None


def _matches(wanted: str, names: frozenset[str]) -> list[str]:
    """The names equal but for case; the exact one alone where it is there, and none that is another photo's own."""
    if wanted in names:
        return [wanted]
    owned = {f"{name}.xmp" for name in names}
    return sorted(name for name in names - owned if name.casefold() == wanted.casefold())


def _is_shared(photo: PurePosixPath, names: frozenset[str]) -> bool:
    """Whether another picture has the same stem."""
    others = map(PurePosixPath, names)
    return any(
        other.stem.casefold() == photo.stem.casefold() and other.suffix.lower() not in _COMPANIONS for other in others
    )
