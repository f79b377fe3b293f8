"""The names that cameras, phones and photo programs give to the files of one shot."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from culld.tags.names import NUMBERED, duplicate_of

if TYPE_CHECKING:
    from collections.abc import Iterator

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
