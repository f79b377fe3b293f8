"""Which files belong together: a pure decision over names."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from culld.photos.formats import EXTENSIONS, RAW_EXTENSIONS
from culld.records import Format, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from culld.records import Assessment, Place

_MOVIES = frozenset({".mov", ".mp4"})
# What cameras and phones write beside a photo: a spoken note, a small preview, the edits of the phone.
_ATTACHED = frozenset({".wav", ".thm", ".aae"})
# What the programs of photographers keep beside a photo: somebody has worked on it.
_EDITS = frozenset({".pp3", ".arp", ".dop", ".on1", ".vrd"})
_KIN_EXTENSIONS = RAW_EXTENSIONS | _MOVIES | _ATTACHED | _EDITS


def group(
    assessed: Iterable[Assessment],
    names_beside: Callable[[Place], Collection[str]],
    is_live: Callable[[Place], bool] = lambda _: False,
) -> list[Stack]:
    """Put each photo together with its sidecars, its partners among the others, and its kin.

    `names_beside` lists the folder that a photo is in; `is_live` says of a movie whether it is the moving half of a
    photo, which goes with it like a sidecar. Any other movie is kin.
    """
    shots: defaultdict[tuple[Path, Path, str], list[Assessment]] = defaultdict(list)
    for assessment in assessed:
        place = assessment.photo.place
        shots[place.root, place.relative.parent, place.relative.stem.casefold()].append(assessment)
    return [_moving(stack, is_live) for shot in shots.values() for stack in _of_one_mind(shot, names_beside)]


def _moving(stack: Stack, is_live: Callable[[Place], bool]) -> Stack:
    """The stack with its movie among the sidecars, if it has no partner who might claim it as well."""
    live = tuple(
        place
        for place in stack.kin
        if not stack.partners and place.relative.suffix.lower() in _MOVIES and is_live(place)
    )
    kept = tuple(place for place in stack.kin if place not in live)
    return replace(stack, sidecars=(*stack.sidecars, *live), kin=kept)


def _of_one_mind(shot: Sequence[Assessment], names_beside: Callable[[Place], Collection[str]]) -> Iterator[Stack]:
    """The stacks of the pictures of one name; what keeps one of the partners where it is keeps them all."""
    stacks = [_stack(each, _partners(each, shot), names_beside) for each in shot]
    kin = tuple(dict.fromkeys(place for stack in stacks for place in stack.kin))
    yield from (replace(stack, kin=kin) if stack.partners else stack for stack in stacks)


def _partners(lead: Assessment, shot: Sequence[Assessment]) -> tuple[Assessment, ...]:
    """The others of one name, if one of them all is a RAW: two pictures of other kinds may be two shots."""
    if not any(each.photo.format is Format.RAW for each in shot):
        return ()
    return tuple(each for each in shot if each is not lead)


def _stack(
    lead: Assessment, partners: tuple[Assessment, ...], names_beside: Callable[[Place], Collection[str]]
) -> Stack:
    place = lead.photo.place
    known = [partner.photo.place.relative.name for partner in partners]
    sidecars, kin = companions(place.relative.name, names_beside(place), known)
    return Stack(lead, tuple(map(place.beside, sidecars)), tuple(map(place.beside, kin)), partners)


def companions(photo: str, names: Collection[str], partners: Collection[str] = ()) -> tuple[list[str], list[str]]:
    """The sidecars of a photo and its kin, out of the names in its folder; its `partners` are neither.

    `a.jpg.xmp` belongs to `a.jpg` alone. `a.xmp` belongs to it unless another photo or RAW shares the stem `a`: then
    nobody can tell whose it is, and it counts as kin, which keeps everything where it is. Between partners it is that
    of the RAW, as Adobe's programs have it. The same holds for what a camera attaches (`a.wav`). Case never matters.
    """
    stem = PurePath(photo).stem.casefold()
    own = photo.casefold()
    sidecars, kin = [], []
    shared = any(_is_other_shot(name, stem, own) for name in names if name not in partners)
    for name in sorted(names):
        folded = name.casefold()
        if folded == f"{own}.xmp":
            sidecars.append(name)
        elif folded == f"{stem}.xmp" or (PurePath(folded).stem == stem and PurePath(folded).suffix in _ATTACHED):
            if shared:
                kin.append(name)
            elif not partners or _is_raw(own):
                sidecars.append(name)
        elif name not in partners and _is_kin(folded, stem, own):
            kin.append(name)
    return sidecars, kin


def _is_raw(name: str) -> bool:
    return PurePath(name).suffix in RAW_EXTENSIONS


def _is_other_shot(name: str, stem: str, own: str) -> bool:
    path = PurePath(name.casefold())
    return path.name != own and path.stem == stem and path.suffix in EXTENSIONS | RAW_EXTENSIONS


def _is_kin(folded: str, stem: str, own: str) -> bool:
    path = PurePath(folded)
    of_raw = _is_raw(own) and path.suffix in EXTENSIONS
    return path.name != own and (of_raw or path.suffix in _KIN_EXTENSIONS) and path.stem in {stem, own}
