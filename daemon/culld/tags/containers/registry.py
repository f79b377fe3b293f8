"""Which formats take words into themselves, and how; all others get them beside them only."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from culld.errors import TagRefusedError
from culld.records import Format
from culld.tags.containers.jpeg import jpeg_edits
from culld.tags.containers.png import png_edits
from culld.tags.containers.tiff import tiff_edits
from culld.tags.containers.webp import webp_edits
from culld.tags.verify import verify_jpeg, verify_png, verify_tiff, verify_webp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culld.records import Edit, RejectFlag

    Draft = Callable[[bytes, Sequence[str], Sequence[RejectFlag]], tuple[Edit, ...]]
    Proof = Callable[[bytes, bytes, Sequence[str], Sequence[RejectFlag]], None]

    Build = Callable[[bytes], bytes]

_CONTAINERS: Final[dict[Format, tuple[Draft, Proof]]] = {
    Format.PNG: (png_edits, verify_png),
    Format.WEBP: (webp_edits, verify_webp),
    Format.TIFF: (tiff_edits, verify_tiff),
}


def container_for(format_: Format, build_exif: Build) -> tuple[Draft, Proof]:
    """How to draft the words of a format, and how to prove the draft; raises TagRefusedError for other formats.

    `build_exif` makes the EXIF block of a JPEG that has none, from the bytes of XPKeywords.
    """
    if format_ is Format.JPEG:
        return partial(jpeg_edits, build=build_exif), verify_jpeg
    if format_ not in _CONTAINERS:
        raise TagRefusedError(f"{format_.value} files get their tags beside them only", "the photo")
    return _CONTAINERS[format_]
