"""Which configured folders may contain one another; pure, on real paths (links resolved)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.config.messages import dotted
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from culld.config.messages import Key

_STATE_ADVICE = "choose a folder outside, such as ~/.local/state/culld"


def folder_problems(
    watched: Mapping[Key, Path], quarantine: Path | None, state: Path | None
) -> Iterator[tuple[Key, str]]:
    """Yield each key whose folder overlaps another one, and the problem; None is a folder that could not be read.

    A quarantine inside a watched folder is allowed: the scanner skips it, so photos in it are not judged again.
    """
    folders = list(watched.items())
    for number, (key, folder) in enumerate(folders):
        for other, earlier in folders[:number]:
            if problem := _overlap(folder, earlier, dotted(other)):
                yield key, problem
    if quarantine is not None:
        yield from _quarantine_problems(quarantine, watched)
    if state is not None:
        yield from _state_problems(state, quarantine, watched)


def _overlap(folder: Path, earlier: Path, name: str) -> str | None:
    if folder == earlier:
        return f"{display_path(folder)} is the folder of {name} again; keep one of them"
    if folder.is_relative_to(earlier):
        above = display_path(earlier)
        return f"{display_path(folder)} lies in {above} of {name}, watched with all below it; keep one of them"
    if earlier.is_relative_to(folder):
        return f"{display_path(folder)} holds {display_path(earlier)} of {name}; keep one of them"
    return None


def _quarantine_problems(quarantine: Path, watched: Mapping[Key, Path]) -> Iterator[tuple[Key, str]]:
    below = next((folder for folder in watched.values() if folder.is_relative_to(quarantine)), None)
    if below is not None:
        where = "is" if below == quarantine else "lies above"
        shown = display_path(below)
        text = f"{display_path(quarantine)} {where} the watched folder {shown}; choose one beside it or inside it"
        yield ("quarantine",), text


def _state_problems(state: Path, quarantine: Path | None, watched: Mapping[Key, Path]) -> Iterator[tuple[Key, str]]:
    above = next((folder for folder in watched.values() if state.is_relative_to(folder)), None)
    if above is not None:
        yield ("state",), f"{display_path(state)} lies in the watched folder {display_path(above)}; {_STATE_ADVICE}"
    if quarantine is not None and state.is_relative_to(quarantine):
        yield ("state",), f"{display_path(state)} lies in the quarantine; {_STATE_ADVICE}"
