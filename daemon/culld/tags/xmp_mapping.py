"""The description of a photo in IPTC and EXIF, as properties of XMP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.tags.containers.ifd_append import XP_KEYWORDS
from culld.tags.descriptive import DC, IPTC_CORE, KEYWORDS, PHOTOSHOP, XMP, texts_in
from culld.tags.xmp import text_for_xml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from culld.tags.embedded_metadata import EmbeddedMetadata, Fields

_DESCRIPTION, _ARTIST, _COPYRIGHT = 0x010E, 0x013B, 0x8298
RATING: Final = (XMP, "Rating")
_RATING, _PERCENT = 0x4746, 0x4749
_STARS: Final = {1: 1, 25: 2, 50: 3, 75: 4, 99: 5}
_SHORTENED: Final = 60
"""IPTC cuts a keyword at 64 bytes; some programs count the last ones otherwise."""


@dataclass(frozen=True, slots=True)
class Field:
    """An XMP property with its texts; `container` is Alt, Seq, or empty for a simple value."""

    namespace: str
    prefix: str
    local: str
    container: str
    texts: tuple[str, ...]

    @property
    def name(self) -> tuple[str, str]:
        """Namespace and local name."""
        return self.namespace, self.local


# Data sets of IIM 4.2, chapter 6, and their properties by the IPTC Photo Metadata Standard.
_SETS: Final = (
    (5, DC, "dc", "title", "Alt"),
    (120, DC, "dc", "description", "Alt"),
    (80, DC, "dc", "creator", "Seq"),
    (116, DC, "dc", "rights", "Alt"),
    (10, PHOTOSHOP, "photoshop", "Urgency", ""),
    (40, PHOTOSHOP, "photoshop", "Instructions", ""),
    (85, PHOTOSHOP, "photoshop", "AuthorsPosition", ""),
    (90, PHOTOSHOP, "photoshop", "City", ""),
    (95, PHOTOSHOP, "photoshop", "State", ""),
    (101, PHOTOSHOP, "photoshop", "Country", ""),
    (103, PHOTOSHOP, "photoshop", "TransmissionReference", ""),
    (105, PHOTOSHOP, "photoshop", "Headline", ""),
    (110, PHOTOSHOP, "photoshop", "Credit", ""),
    (115, PHOTOSHOP, "photoshop", "Source", ""),
    (122, PHOTOSHOP, "photoshop", "CaptionWriter", ""),
    (92, IPTC_CORE, "Iptc4xmpCore", "Location", ""),
)


def keywords_of(held: EmbeddedMetadata) -> tuple[str, ...]:
    """The keywords of IPTC, then those of XPKeywords, each once whatever the case of its letters."""
    found = [] if held.iptc is None else [text_for_xml(word) for word in texts_in(held.iptc).get(KEYWORDS, ())]
    raw = None if held.fields is None else held.fields.raw(XP_KEYWORDS)
    found += map(text_for_xml, (raw or b"").decode("utf-16-le", "ignore").split("\0")[0].split(";"))
    kept: dict[str, str] = {}
    for word in found:
        if word and not is_shortened(word, found):
            kept.setdefault(word.casefold(), word)
    return tuple(kept.values())


def is_shortened(word: str, others: Iterable[str]) -> bool:
    """Whether a keyword is the beginning of a longer one, which IPTC could not hold."""
    long = len(word.encode()) >= _SHORTENED
    return long and any(other != word and other.startswith(word) for other in others)


def fields_of(held: EmbeddedMetadata) -> tuple[Field, ...]:
    """Captions, names and stars; where both EXIF and IPTC hold one, that of EXIF is used (MWG 2.0, 5.2)."""
    found: dict[tuple[str, str], Field] = {}
    for field in (*_of_exif(held.fields), *_of_iptc(held.iptc)):
        texts = tuple(filter(None, map(text_for_xml, field.texts)))
        if texts:
            found.setdefault(field.name, Field(field.namespace, field.prefix, field.local, field.container, texts))
    return tuple(found.values())


def stars_of(held: EmbeddedMetadata) -> tuple[Field, ...]:
    """The stars of EXIF, if there are any."""
    return tuple(field for field in fields_of(held) if field.name == RATING)


def _of_iptc(data: bytes | None) -> Iterator[Field]:
    texts = {} if data is None else texts_in(data)
    for number, namespace, prefix, local, container in _SETS:
        found = texts.get(number, ())
        yield Field(namespace, prefix, local, container, found if container == "Seq" else found[:1])


def _of_exif(fields: Fields | None) -> Iterator[Field]:
    if fields is None:
        return
    stars = fields.number(_RATING) or _STARS.get(fields.number(_PERCENT), 0)
    if 1 <= stars <= 5:
        yield Field(XMP, "xmp", "Rating", "", (str(stars),))
    for tag, local, container in (
        (_DESCRIPTION, "description", "Alt"),
        (_ARTIST, "creator", "Seq"),
        (_COPYRIGHT, "rights", "Alt"),
    ):
        yield Field(DC, "dc", local, container, (_text(fields.raw(tag)),))


def _text(value: bytes | None) -> str:
    """An ASCII value up to its first NUL; many programs write UTF-8 there."""
    raw = (value or b"").split(b"\0")[0]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
