"""The comments of gThumb: a small XML file about one photo, `.comments/a.jpg.xml`, plain or compressed with gzip.

Version 3.0 has caption, note, place, time, rating and categories (gth_comment_load_from_element in gThumb's source);
version 2.0 has Note, Place, Time and Keywords. The time alone is no comment.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, NoReturn
from xml.parsers import expat

from culld.errors import TagRefusedError
from culld.records import Rating

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES: Final = 1 << 20
"""A comment is smaller than this, also when it is unpacked."""
_GZIP: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31  # zlib: the largest window, with a gzip header
_TEXTS: Final = frozenset({"caption", "note", "place", "keywords"})


def comment_in(data: bytes) -> tuple[bool, Rating | None]:
    """Return whether a comment file describes its photo, and the rating in it.

    Raises TagRefusedError if it is too large or is no plain XML.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = lambda *_: _refuse("it holds a DOCTYPE")
    parser.EntityDeclHandler = lambda *_: _refuse("it declares entities")
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(_unpacked(data), True)
    except expat.ExpatError as error:
        raise TagRefusedError(f"a gThumb comment cannot be read: it is not well-formed XML ({error})") from error
    return reader.is_comment, Rating(f"gThumb rating {reader.stars}", reader.stars) if reader.stars else None


class _Reader:
    """Collects from expat's events whether there are texts, and the stars."""

    def __init__(self) -> None:
        self.is_comment = False
        self.stars = 0
        self._element = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._element = name.lower()
        value = attributes.get("value", "").strip()
        if self._element == "rating" and value in {"1", "2", "3", "4", "5"}:
            self.stars = int(value)
            self.is_comment = True
        if self._element == "category" and value:
            self.is_comment = True

    def text(self, text: str) -> None:
        if self._element in _TEXTS and text.strip():
            self.is_comment = True


def _unpacked(data: bytes) -> bytes:
    if data.startswith(_GZIP):
        try:
            data = zlib.decompressobj(_GZIP_WINDOW).decompress(data, MOST_BYTES + 1)
        except zlib.error as error:
            raise TagRefusedError(f"a gThumb comment cannot be read: it is no whole gzip file ({error})") from error
    if len(data) > MOST_BYTES:
        _refuse(f"it is larger than {MOST_BYTES} bytes")
    return data


def _refuse(reason: str) -> NoReturn:
    raise TagRefusedError(f"a gThumb comment cannot be read: {reason}")
