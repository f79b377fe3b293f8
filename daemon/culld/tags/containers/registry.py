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
from culld.tags.verify import prove_jpeg, prove_png, prove_tiff, prove_webp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culld.records import Edit, Mark

    Draft = Callable[[bytes, Sequence[str], Sequence[Mark]], tuple[Edit, ...]]
    Proof = Callable[[bytes, bytes, Sequence[str], Sequence[Mark]], None]

    Build = Callable[[bytes], bytes]

_WAYS: Final[dict[Format, tuple[Draft, Proof]]] = {
    Format.PNG: (png_edits, prove_png),
    Format.WEBP: (webp_edits, prove_webp),
    Format.TIFF: (tiff_edits, prove_tiff),
}


def way_into(format_: Format, build_exif: Build) -> tuple[Draft, Proof]:
    """How to draft the words of a format, and how to prove the draft; raises TagRefusedError for other formats.

    `build_exif` makes the EXIF block of a JPEG that has none, from the bytes of XPKeywords.
    """
    if format_ is Format.JPEG:
        return partial(jpeg_edits, build=build_exif), prove_jpeg
    if format_ not in _WAYS:
        raise TagRefusedError(f"{format_.value} files get their tags beside them only", "the photo")
    return _WAYS[format_]
