"""Which formats culld writes tags into; photos of all other formats get their tags in a sidecar only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from culld.records import Format
from culld.tags.containers import refuse
from culld.tags.containers.jpeg import read_jpeg
from culld.tags.containers.png import read_png
from culld.tags.containers.tiff import read_tiff
from culld.tags.containers.webp import read_webp

if TYPE_CHECKING:
    from collections.abc import Callable

    from culld.tags.containers import Container

_READERS: Final[dict[Format, Callable[[bytes], Container]]] = {
    Format.JPEG: read_jpeg,
    Format.PNG: read_png,
    Format.WEBP: read_webp,
    Format.TIFF: read_tiff,
}


def read_container(data: bytes, format_: Format) -> Container:
    """Parse a photo that tags can be written into; raises TagRefusedError where that is not possible without risk."""
    if format_ not in _READERS:
        refuse(f"{format_.value} files get their tags beside them only")
    return _READERS[format_](data)
