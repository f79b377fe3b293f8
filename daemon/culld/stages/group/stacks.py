"""Which files belong together: a pure decision over names."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from culld.imaging.formats import EXTENSIONS, RAW_EXTENSIONS
from culld.records import Format, Stack
from culld.stages.group.filenames import duplicate_of, is_one_of_several, shot_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from culld.records import Assessment, RootedPath

_PICTURES = EXTENSIONS | RAW_EXTENSIONS
_MOVIES = frozenset({".mov", ".mp4"})
# What the programs of photographers keep beside a photo: somebody has worked on it.
_EDITS = frozenset({".pp3", ".arp", ".dop", ".on1", ".vrd"})
# What lies beside a photo and is about it: tags, edits, and a spoken note, a small preview, the edits of the phone.
_ATTACHED = frozenset({".xmp", ".wav", ".thm", ".aae"}) | _EDITS


def group(
    assessed: Iterable[Assessment],
    names_beside: Callable[[RootedPath], Collection[str]],
    is_live: Callable[[RootedPath], bool] = lambda _: False,
    unclear_beside: Callable[[RootedPath], Collection[str]] = lambda _: (),
) -> list[Stack]:
    """Put each photo together with its sidecars, its partners among the others, and its kin.

    `names_beside` lists the plain files of the folder that a photo is in; `is_live` says of a movie whether it is the
    moving half of a photo, which goes with it like a sidecar. Any other movie is kin, and so is what would be a sidecar
    if it were a plain file: `unclear_beside` lists links, which stay where they are.
    """
    shots: defaultdict[tuple[Path, Path, str], list[Assessment]] = defaultdict(list)
    for assessment in assessed:
        place = assessment.photo.place
        shots[place.root, place.relative.parent, shot_of(place.relative.name)].append(assessment)
    beside = _Companions(names_beside, unclear_beside)
    return [stack for shot in shots.values() for stack in _stacks_of_shot(shot, beside, is_live)]


def companions(photo: str, names: Collection[str], partners: Collection[str] = ()) -> tuple[list[str], list[str]]:
    """The sidecars of a photo and its kin, out of the names in its folder; its `partners` are neither.

    `a.jpg.xmp` belongs to `a.jpg` alone. `a.xmp` belongs to it unless another photo or RAW shares the stem `a`: then
    nobody can tell whose it is, and it counts as kin, which keeps everything where it is. Between partners it is that
    of the RAW, as Adobe's programs have it. The same holds for edits (`a.pp3`) and for what a camera attaches
    (`a.wav`). Case never matters.
    """
    own = photo.casefold()
    stem = PurePath(own).stem
    folded = frozenset(name.casefold() for name in names)
    rivals = [name for name in names if _shares(name, own, stem)]
    shared = any(name not in partners for name in rivals)
    owner = min((own, *(name.casefold() for name in rivals)), key=lambda name: (not _is_raw(name), name))
    sidecars, kin = [], []
    for name in sorted(names):
        if _by_full_name(name.casefold(), own, folded):
            sidecars.append(name)
        elif _by_stem(name.casefold(), stem):
            if shared:
                kin.append(name)
            elif own == owner:
                sidecars.append(name)
        elif name not in partners and _is_blocking(name.casefold(), own):
            kin.append(name)
    return sidecars, kin


def may_be_siblings(one: str, other: str) -> bool:
    """Whether two names in a folder are pictures of one shot: with a RAW among them, or by what they say themselves.

    Any other two pictures of one stem may be two shots: cameras and phones number alike.
    """
    told = _is_raw(one) or _is_raw(other) or is_one_of_several(one) or is_one_of_several(other)
    return told and one != other and _is_picture(one) and _is_picture(other) and shot_of(one) == shot_of(other)


def shot_id(stack: Stack) -> str:
    """What the stacks of one shot have in common, from the digests of its pictures; empty for a single picture."""
    if not stack.siblings:
        return ""
    shot = "".join(sorted(member.photo.digest for member in stack.members))
    return hashlib.sha256(shot.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Companions:
    """What lies in the folder of a photo: the names of plain files, and those of links."""

    names: Callable[[RootedPath], Collection[str]]
    unclear: Callable[[RootedPath], Collection[str]]


def _stacks_of_shot(
    shot: Sequence[Assessment],
    beside: _Companions,
    is_live: Callable[[RootedPath], bool],
) -> Iterator[Stack]:
    """The stacks of the pictures of one shot; what keeps one of the partners where it is keeps them all."""
    stacks = [_attach_live_video(_stack(each, _siblings(each, shot), beside), is_live) for each in shot]
    taken = {place for stack in stacks for place in stack.sidecars}
    kin = tuple(dict.fromkeys(place for stack in stacks for place in stack.blocking_files if place not in taken))
    edits = tuple(place for stack in stacks for place in stack.editor_sidecars)
    sidecars = [place for stack in stacks for place in stack.sidecars]
    for stack in stacks:
        others = tuple(place for place in sidecars if place not in stack.sidecars)
        shared = replace(stack, blocking_files=kin, editor_sidecars=edits, sibling_sidecars=others)
        yield shared if stack.siblings else stack


def _attach_live_video(stack: Stack, is_live: Callable[[RootedPath], bool]) -> Stack:
    """The stack with its movie among the sidecars, if no partner might claim it as well."""
    stem = stack.primary.photo.place.relative.stem
    if any(partner.photo.place.relative.stem == stem for partner in stack.siblings):
        return stack
    live = tuple(place for place in stack.blocking_files if place.relative.suffix.lower() in _MOVIES and is_live(place))
    kept = tuple(place for place in stack.blocking_files if place not in live)
    return replace(stack, sidecars=(*stack.sidecars, *live), blocking_files=kept)


def _siblings(lead: Assessment, shot: Sequence[Assessment]) -> tuple[Assessment, ...]:
    """The others of a shot, if one of them all says that they are of one: a RAW by what it is, others by their name."""
    told = any(each.photo.format is Format.RAW or is_one_of_several(each.photo.place.relative.name) for each in shot)
    return tuple(each for each in shot if each is not lead) if told else ()


def _stack(lead: Assessment, partners: tuple[Assessment, ...], beside: _Companions) -> Stack:
    place = lead.photo.place
    known = [partner.photo.place.relative.name for partner in partners]
    unclear = beside.unclear(place)
    about, kin = companions(place.relative.name, [*beside.names(place), *unclear], known)
    edits = [name for name in about if PurePath(name.casefold()).suffix in _EDITS]
    return Stack(
        lead,
        tuple(place.beside(name) for name in about if name not in unclear),
        tuple(place.beside(name) for name in (*kin, *(name for name in about if name in unclear))),
        partners,
        tuple(map(place.beside, edits)),
    )


def _is_raw(name: str) -> bool:
    return PurePath(name.casefold()).suffix in RAW_EXTENSIONS


def _is_picture(name: str) -> bool:
    return PurePath(name.casefold()).suffix in _PICTURES


def _shares(name: str, own: str, stem: str) -> bool:
    """Whether another picture has the same stem, so that what is called by the stem alone may be about either."""
    path = PurePath(name.casefold())
    return path.name != own and path.stem == stem and path.suffix in _PICTURES


def _by_full_name(name: str, own: str, names: Collection[str]) -> bool:
    """Whether a file is about this photo alone: its name holds the whole name, or that of a duplicate."""
    path = PurePath(name)
    return (path.stem == own and path.suffix in _ATTACHED) or (duplicate_of(name) == own and path.stem not in names)


def _by_stem(name: str, stem: str) -> bool:
    path = PurePath(name)
    return path.stem == stem and path.suffix in _ATTACHED


def _is_blocking(name: str, own: str) -> bool:
    path = PurePath(name)
    is_movie = path.suffix in _MOVIES and path.stem in {own, PurePath(own).stem}
    of_raw = _is_raw(own) and path.stem == own and path.suffix in EXTENSIONS
    return is_movie or of_raw or may_be_siblings(name, own)
