"""Stacks of the files of one shot, by their names."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from culld.errors import PhotoError
from culld.files.lease import is_open_elsewhere
from culld.files.open_beneath import open_regular
from culld.imaging.clip_containers import is_clip_name
from culld.imaging.formats import EXTENSIONS, RAW_EXTENSIONS
from culld.imaging.live_photo import is_live_photo_movie
from culld.records import Format, Stack
from culld.tags.names import EDITOR_SUFFIXES, NUMBERED, duplicate_of, sidecars_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from culld.records import Assessment, RootedPath

_PICTURES = EXTENSIONS | RAW_EXTENSIONS
_MOVIES = frozenset({".mov", ".mp4"})


def group(
    assessed: Iterable[Assessment],
    names_beside: Callable[[RootedPath], Collection[str]],
    is_live: Callable[[RootedPath], bool] = lambda _: False,
    unclear_beside: Callable[[RootedPath], Collection[str]] = lambda _: (),
) -> list[Stack]:
    """Return the stack of each photo: its sidecars, its siblings among the others, and the files that block a move.

    `names_beside` lists the plain files in the folder of a photo. `is_live` returns whether a movie belongs to a Live
    Photo; such a movie moves with the photo like a sidecar, and any other movie blocks the move. `unclear_beside` lists
    the links in the folder: they are never moved, and a link with the name of a sidecar blocks the move.
    """
    shots: defaultdict[tuple[Path, Path, str], list[Assessment]] = defaultdict(list)
    for assessment in assessed:
        place = assessment.photo.place
        name = place.relative.name
        shots[place.root, place.relative.parent, name if is_clip_name(name) else shot_of(name)].append(assessment)
    beside = _Companions(names_beside, unclear_beside)
    return [stack for shot in shots.values() for stack in _stacks_of_shot(shot, beside, is_live)]


def companions(photo: str, names: Collection[str], siblings: Collection[str] = ()) -> tuple[list[str], list[str]]:
    """Return the names of the sidecars of a photo, and of the files that block its move; `siblings` are neither.

    `names` are those in its folder. `a.jpg.xmp` belongs to `a.jpg` only. `a.xmp` belongs to it unless another file has
    the stem `a`: then its owner is unknown, and it blocks the move. Between siblings it belongs to the RAW, as in
    programs of Adobe. A movie with that stem does not count here: it blocks the move, or moves with the photo. The same
    rules hold for edits (`a.pp3`) and camera attachments (`a.wav`). Names are compared without regard to case.

    The photo may be a clip: photos and other clips with its stem block its move, and have a claim on `a.xmp`.
    """
    found = sidecars_of(photo, names)
    movies = frozenset() if is_clip_name(photo) else _MOVIES
    rivals = [name for name in found.rivals if PurePath(name.casefold()).suffix not in movies]
    owner = min((photo, *rivals), key=lambda name: (not _is_raw(name), name.casefold(), name))
    is_shared = any(name not in siblings for name in rivals)
    own = (*found.full, *(() if is_shared or owner != photo else found.short))
    blocking = (
        name
        for name in names
        if name not in own
        and name not in siblings
        and name != photo
        and _is_blocking(name.casefold(), photo.casefold())
    )
    return sorted(own), sorted({*blocking, *(found.short if is_shared else ())})


def may_be_siblings(one: str, other: str) -> bool:
    """Return whether two names in a folder are photos of one shot: one is a RAW, or the names imply it.

    Other photos with one stem may be two shots: cameras and phones use the same numbers.
    """
    is_one_shot = _is_raw(one) or _is_raw(other) or is_one_of_several(one) or is_one_of_several(other)
    return is_one_shot and one != other and _is_picture(one) and _is_picture(other) and shot_of(one) == shot_of(other)


def shot_id(stack: Stack) -> str:
    """Return the id that the stacks of one shot share, from the digests of its photos; empty without siblings."""
    if not stack.siblings:
        return ""
    shot = "".join(sorted(member.photo.digest for member in stack.members))
    return hashlib.sha256(shot.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Companions:
    """Functions that list the folder of a photo: `names` its plain files, `unclear` its links."""

    names: Callable[[RootedPath], Collection[str]]
    unclear: Callable[[RootedPath], Collection[str]]


def _stacks_of_shot(
    shot: Sequence[Assessment],
    beside: _Companions,
    is_live: Callable[[RootedPath], bool],
) -> Iterator[Stack]:
    """Yield the stacks of the photos of one shot; a file that blocks one sibling blocks all."""
    stacks = [_attach_live_video(_stack(each, _siblings(each, shot), beside), is_live) for each in shot]
    taken = {place for stack in stacks for place in stack.sidecars}
    blocking = tuple(dict.fromkeys(place for stack in stacks for place in stack.blocking_files if place not in taken))
    edits = tuple(place for stack in stacks for place in stack.editor_sidecars)
    sidecars = [place for stack in stacks for place in stack.sidecars]
    for stack in stacks:
        others = tuple(place for place in sidecars if place not in stack.sidecars)
        shared = replace(stack, blocking_files=blocking, editor_sidecars=edits, sibling_sidecars=others)
        yield shared if stack.siblings else stack


def _attach_live_video(stack: Stack, is_live: Callable[[RootedPath], bool]) -> Stack:
    """Return the stack with its Live Photo movie as a sidecar, unless a sibling has the same stem."""
    stem = stack.primary.photo.place.relative.stem
    if any(sibling.photo.place.relative.stem == stem for sibling in stack.siblings):
        return stack
    live = tuple(place for place in stack.blocking_files if place.relative.suffix.lower() in _MOVIES and is_live(place))
    kept = tuple(place for place in stack.blocking_files if place not in live)
    return replace(stack, sidecars=(*stack.sidecars, *live), blocking_files=kept)


def _siblings(lead: Assessment, shot: Sequence[Assessment]) -> tuple[Assessment, ...]:
    """Return the other photos of a shot, if one of them is a RAW or has a name such as `IMG_E0001`."""
    has_several = any(
        each.photo.format is Format.RAW or is_one_of_several(each.photo.place.relative.name) for each in shot
    )
    return tuple(each for each in shot if each is not lead) if has_several else ()


def _stack(lead: Assessment, siblings: tuple[Assessment, ...], beside: _Companions) -> Stack:
    place = lead.photo.place
    known = [sibling.photo.place.relative.name for sibling in siblings]
    unclear = beside.unclear(place)
    about, blocking = companions(place.relative.name, [*beside.names(place), *unclear], known)
    edits = [name for name in about if PurePath(name.casefold()).suffix in EDITOR_SUFFIXES]
    return Stack(
        lead,
        tuple(place.beside(name) for name in about if name not in unclear),
        tuple(place.beside(name) for name in (*blocking, *(name for name in about if name in unclear))),
        siblings,
        tuple(map(place.beside, edits)),
    )


def _is_raw(name: str) -> bool:
    return PurePath(name.casefold()).suffix in RAW_EXTENSIONS


def _is_picture(name: str) -> bool:
    return PurePath(name.casefold()).suffix in _PICTURES


def _is_blocking(name: str, own: str) -> bool:
    path = PurePath(name)
    if is_clip_name(own):
        return (is_clip_name(name) or _is_picture(name)) and PurePath(own).stem in {name, path.stem}
    is_movie = path.suffix in _MOVIES and path.stem in {own, PurePath(own).stem}
    of_raw = _is_raw(own) and path.stem == own and path.suffix in EXTENSIONS
    return is_movie or of_raw or may_be_siblings(name, own)


def is_live_photo_video(place: RootedPath) -> bool:
    """Return whether a file is the complete movie of a Live Photo: it contains the key, and no program writes to it."""
    try:
        with open_regular(place) as stream:
            is_live = is_live_photo_movie(stream)
    except (PhotoError, OSError):  # the disk may fail after the file was opened
        return False
    return is_live and not is_open_elsewhere(place)


_EDITED: Final = re.compile(r"img_e(\d{4,})$")
"""Apple's phones store the edited photo beside the original: IMG_E0001 and IMG_0001."""
_BURST: Final = re.compile(r".*_(burst\d{8,})(?:_cover)?$")
"""Google's phones: 00000IMG_00000_BURST20190101143201468_COVER, of which one frame is the cover."""
_PIXEL: Final = re.compile(r"(.+)\.raw-\d\d\.(?:cover|original)$")
"""Google's phones: PXL_x.RAW-01.COVER.jpg and PXL_x.RAW-02.ORIGINAL.dng."""


def shot_of(name: str) -> str:
    """Return the common name of the photos of one shot, in lower case; mostly the name without its extension."""
    stem = PurePath(name.casefold()).stem
    if edited := _EDITED.match(stem):
        return f"img_{edited[1]}"
    if found := _BURST.match(stem) or _PIXEL.match(stem):
        return found[1]
    return stem


def is_one_of_several(name: str) -> bool:
    """Return whether the name of a photo implies that there are other photos of the shot."""
    return shot_of(name) != PurePath(name.casefold()).stem


def lookup_keys(name: str) -> Iterator[str]:
    """Yield the keys of a name, in lower case: the names of all files of a shot have a key in common."""
    folded = name.casefold()
    beginning = folded.split(".", 1)[0]
    keys = {beginning, shot_of(folded).split(".", 1)[0]}
    if (photo := duplicate_of(folded)) is not None:
        keys.add(photo.split(".", 1)[0])
    elif numbered := NUMBERED.match(folded):  # the photo that would make `a_01.jpg.xmp` its own sidecar
        keys.add(numbered[1].split(".", 1)[0])
    yield from sorted(keys)
