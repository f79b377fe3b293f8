"""How the configured folders may lie to each other: pure, on real paths (links resolved)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.config.messages import dotted
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from culld.config.messages import Key

_STATE_ADVICE = "choose a folder outside, such as ~/.local/state/culld"


def of_folders(watched: Mapping[Key, Path], quarantine: Path | None, state: Path | None) -> Iterator[tuple[Key, str]]:
    """Each key that is wrong, and why; None stands for a folder that is not known.

    A quarantine inside a watched folder is allowed: the scanner passes over it, so what lies there is not judged again.
    """
    places = list(watched.items())
    for number, (key, folder) in enumerate(places):
        for other, earlier in places[:number]:
            if said := _overlap(folder, earlier, dotted(other)):
                yield key, said
    if quarantine is not None:
        yield from _of_quarantine(quarantine, watched)
    if state is not None:
        yield from _of_state(state, quarantine, watched)


def _overlap(folder: Path, earlier: Path, name: str) -> str | None:
    if folder == earlier:
        return f"{display_path(folder)} is the folder of {name} again; keep one of them"
    if folder.is_relative_to(earlier):
        above = display_path(earlier)
        return f"{display_path(folder)} lies in {above} of {name}, watched with all below it; keep one of them"
    if earlier.is_relative_to(folder):
        return f"{display_path(folder)} holds {display_path(earlier)} of {name}; keep one of them"
    return None


def _of_quarantine(quarantine: Path, watched: Mapping[Key, Path]) -> Iterator[tuple[Key, str]]:
    below = next((folder for folder in watched.values() if folder.is_relative_to(quarantine)), None)
    if below is not None:
        where = "is" if below == quarantine else "lies above"
        shown = display_path(below)
        text = f"{display_path(quarantine)} {where} the watched folder {shown}; choose one beside it or inside it"
        yield ("quarantine",), text


def _of_state(state: Path, quarantine: Path | None, watched: Mapping[Key, Path]) -> Iterator[tuple[Key, str]]:
    above = next((folder for folder in watched.values() if state.is_relative_to(folder)), None)
    if above is not None:
        yield ("state",), f"{display_path(state)} lies in the watched folder {display_path(above)}; {_STATE_ADVICE}"
    if quarantine is not None and state.is_relative_to(quarantine):
        yield ("state",), f"{display_path(state)} lies in the quarantine; {_STATE_ADVICE}"
