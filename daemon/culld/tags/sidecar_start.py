"""The start of a new sidecar: the description of the photo that the photo itself holds.

Programs that prefer sidecars would otherwise not show its keywords and stars. Properties of the photo's XMP are copied
byte for byte; values that only IPTC or EXIF holds are added as XMP, by the mapping of the Metadata Working Group's
guidelines (version 2.0, chapter 5).
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from culld.errors import TagRefusedError
from culld.records import Edit
from culld.tags.descriptive import is_descriptive
from culld.tags.edits import apply_edits
from culld.tags.embedded_metadata import embedded_metadata_in
from culld.tags.sidecar import KEYWORD_LISTS, NEW, SUBJECT, added_keywords, listed_keywords
from culld.tags.xmp import PACKET, RDF, read_xmp, removal, written_attributes
from culld.tags.xmp_mapping import fields_of, is_shortened, keywords_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from culld.records import Format
    from culld.tags.xmp import Document, Element
    from culld.tags.xmp_mapping import Field

_HEAD: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_BLANK: Final = b" \t\r\n\0\xef\xbb\xbf"
_LISTS: Final = frozenset((words.namespace, words.local) for words in KEYWORD_LISTS)
_WRAPPERS: Final = (b"<?xpacket", b"<?adobe")


def initial_sidecar(photo: bytes, format_: Format) -> bytes:
    """Return the document to which culld adds its own values in a new sidecar.

    Raises TagRefusedError where the photo holds XMP that culld cannot read, or several packets that differ: a sidecar
    without them would hide them.
    """
    held = embedded_metadata_in(photo, format_)
    described = [described for packet in held.packets if (described := description_in(packet))]
    if any(other != described[0] for other in described[1:]):
        raise TagRefusedError("there are several, and they differ", PACKET)
    seed = described[0] if described else NEW
    return with_fields(with_words(seed, keywords_of(held)), fields_of(held))


def description_in(packet: bytes) -> bytes:
    """An XMP packet without its wrapper and without properties that are not descriptive; empty if none is left."""
    document = read_xmp(unwrapped(packet), PACKET)
    if not any(_names(description) for description in document.descriptions):
        return b""
    return apply_edits(document.data, [edit for each in document.descriptions for edit in _cuts(document.data, each)])


def _names(description: Element) -> list[tuple[str, str]]:
    """The descriptive properties in an rdf:Description."""
    kept = [child.name for child in description.children if _is_kept(child)]
    return [*(name for name in description.attributes if is_descriptive(name)), *kept]


def _is_kept(element: Element) -> bool:
    """Whether a property is copied; an empty keyword list, which could not be added to in place, is not."""
    is_empty = (
        element.name in _LISTS and all(not items.children for items in element.children) and not element.text.strip()
    )
    return is_descriptive(element.name) and not is_empty


def _cuts(data: bytes, description: Element) -> Iterator[Edit]:
    """The edits that leave only descriptive properties in an rdf:Description."""
    if not _names(description):
        yield removal(data, description)
        return
    for name, match in written_attributes(data, description):
        if name is not None and name[0] not in {"", RDF} and not is_descriptive(name):
            yield Edit(match.start(), match[0], b"")
    for child in description.children:
        if not _is_kept(child):
            yield removal(data, child)


def unwrapped(packet: bytes) -> bytes:
    """The document without the packet's wrapper and padding, as a sidecar has it."""
    data = packet.strip(_BLANK)
    for _ in _WRAPPERS:
        if data.startswith(_WRAPPERS) and b"?>" in data:
            data = data[data.index(b"?>") + 2 :].lstrip(_BLANK)
        last = data.rfind(b"<?")
        if last >= 0 and data.endswith(b"?>") and data.startswith(_WRAPPERS, last):
            data = data[:last].rstrip(_BLANK)
    return (b"" if data.startswith(b"<?xml ") else _HEAD) + data + b"\n"


def with_words(seed: bytes, words: Sequence[str]) -> bytes:
    """The document with the keywords that only IPTC or EXIF holds, behind those of `dc:subject`."""
    document = read_xmp(seed, PACKET)
    there = listed_keywords(document, SUBJECT)
    if there is None:
        return seed if not words else apply_edits(seed, [_description(document, [_subject(words)])])
    known = {word.casefold() for word in there}
    missing = [word for word in words if word.casefold() not in known and not is_shortened(word, there)]
    return apply_edits(seed, list(added_keywords(document, SUBJECT, missing)))


def with_fields(seed: bytes, fields: Sequence[Field]) -> bytes:
    """The document with the fields that it does not hold yet, in a description of their own."""
    document = read_xmp(seed, PACKET)
    there = {name for description in document.descriptions for name in _names(description)}
    lines = [_property(field) for field in fields if field.name not in there]
    return apply_edits(seed, [_description(document, lines)]) if lines else seed


def _subject(words: Sequence[str]) -> str:
    items = "".join(f"<rdf:li>{escape(word)}</rdf:li>" for word in words)
    return f'<dc:subject xmlns:dc="{SUBJECT.namespace}"><rdf:Bag>{items}</rdf:Bag></dc:subject>'


def _property(field: Field) -> str:
    """A property as RDF/XML (ISO 16684-1, 7.5 to 7.8)."""
    language = ' xml:lang="x-default"' if field.container == "Alt" else ""
    items = "".join(f"<rdf:li{language}>{escape(text)}</rdf:li>" for text in field.texts)
    value = f"<rdf:{field.container}>{items}</rdf:{field.container}>" if field.container else escape(field.texts[0])
    return (
        f'<{field.prefix}:{field.local} xmlns:{field.prefix}="{field.namespace}">{value}</{field.prefix}:{field.local}>'
    )


def _description(document: Document, lines: Sequence[str]) -> Edit:
    """A new rdf:Description with these properties, behind the last one."""
    last = document.descriptions[-1] if document.descriptions else None
    about = escape(document.about)
    text = f'\n  <rdf:Description rdf:about="{about}" xmlns:rdf="{RDF}">'
    text += "".join(f"\n   {line}" for line in lines) + "\n  </rdf:Description>"
    return Edit(last.end if last else document.rdf.opened, b"", text.encode())
