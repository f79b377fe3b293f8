"""Checks of the configured folders: whether they lie in the library of a photo program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.records import display_path
from culld.system.doctor.checks import bad, ok, warn
from culld.system.photo_programs import WATCH_ANOTHER, imports_again, owners, ownership

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from culld.system.doctor.checks import Check


def watched_library(root: Path) -> Iterator[Check]:
    """Yield a check for each program that owns a watched folder, or one that is fine if none does.

    It is bad where the program alone may change the folder: `culld init` refuses such a folder.
    """
    name = f"photo programs {display_path(root)}"
    found = list(owners(root))
    if not found:
        yield ok(name, "the folder lies in no library of a program that culld knows")
    for owner in found:
        what = ownership(owner, display_path(owner.mark))
        if owner.program.is_closed:
            yield bad(name, f"cannot be watched: {what}", WATCH_ANOTHER)
        else:
            yield warn(name, what, f"{WATCH_ANOTHER}, or keep `mode: observe`")


def quarantine_library(quarantine: Path) -> Iterator[Check]:
    """Yield a check for each program in whose library the quarantine lies; none for a quarantine outside of all."""
    name = f"quarantine {display_path(quarantine)}"
    for owner in owners(quarantine):
        yield warn(name, f"{imports_again(owner)} ({display_path(owner.mark)})", "set another folder as `quarantine`")
