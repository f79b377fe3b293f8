"""Whether a configured folder is really there, or only the empty place where its disk would be mounted.

A hidden folder in it, `.culld`, travels with it: as long as that is there, the folder is, on whatever device. Where it
is missing, the device decides: on the known one somebody has tidied up, on another one the disk is not mounted.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.records import printable

if TYPE_CHECKING:
    from pathlib import Path

ANCHOR: Final = ".culld"


@dataclass(frozen=True, slots=True)
class Ground:
    """What is seen of a folder: the device it is on, and whether its anchor is there."""

    device: int
    anchored: bool


def survey(folder: Path) -> Ground | None:
    """What is at this path now; None if no folder is, or if it cannot be looked at."""
    with contextlib.suppress(OSError):
        if folder.is_dir():
            return Ground(folder.stat().st_dev, (folder / ANCHOR).is_dir())
    return None


def away(folder: Path, ground: Ground | None, known_device: int | None) -> str:
    """Why a folder must not be used now, as a clause; empty if it may be. `known_device` is where it was before."""
    if ground is None:
        return "is not there"
    if ground.anchored or known_device in {None, ground.device}:
        return ""
    anchor = printable(folder / ANCHOR)
    return f"is on another disk than before: is its own not mounted? If this is its new place, run `mkdir {anchor}`"


def drop(folder: Path) -> bool:
    """Leave the anchor; False where nothing can be written, and the folder therefore cannot be told from another."""
    try:
        (folder / ANCHOR).mkdir(mode=0o755, exist_ok=True)
    except OSError:
        return False
    return True
