"""An XMP document, parsed with the byte offset of every element; one that could hide something is refused.

The documents are untrusted. The parser is expat with stricter limits: no DOCTYPE and no entity at all, at most
4 MB, 100 levels and 100 000 elements, UTF-8 only. The structure is that of RDF/XML in XMP (ISO 16684-1, part 7).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, NoReturn
from xml.parsers import expat

from culld.errors import TagRefusedError
from culld.records import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

SIDECAR = "the sidecar"
PACKET = "the XMP inside the photo"

MAX_BYTES = 4_000_000
MAX_DEPTH = 100
MAX_ELEMENTS = 100_000

_SEPARATOR = "\x1f"  # no XML document can hold this character, so it cannot be part of a name
_ATTRIBUTE = re.compile(rb"\s+([^\s=]+)\s*=\s*(\"[^\"]*\"|'[^']*')")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
_TAG = re.compile(rb"<(?:[^>\"']|\"[^\"]*\"|'[^']*')*+>")


@dataclass(slots=True)
class Element:
    """An element, its values, and where its tags stand: `<start>` to `opened`, content, `closing` to `end`.

    Names are `(namespace, local name)`; `attributes` maps them to values, `spelled` to the way the tag writes them;
    `prefix` is that of the element. In an empty-element tag `opened`, `closing` and `end` are one offset. `text` ends
    at the first child.
    """

    name: tuple[str, str]
    prefix: str
    attributes: Mapping[tuple[str, str], str]
    spelled: Mapping[tuple[str, str], str]
    start: int
    opened: int
    is_open: bool
    closing: int = 0
    end: int = 0
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def written(self, local: str) -> str:
        """A name in this element's namespace, as the document would write it."""
        return f"{self.prefix}:{local}" if self.prefix else local


@dataclass(frozen=True, slots=True)
class Document:
    """An XMP document: its bytes, its one rdf:RDF, and the descriptions in it, which are all about one resource."""

    data: bytes
    rdf: Element
    descriptions: tuple[Element, ...]
    target: str

    @property
    def about(self) -> str:
        """The resource that the document is about, mostly empty: the file itself."""
        return next((_about(element) for element in self.descriptions), "")

    def properties(self) -> Iterator[Element]:
        """Every property that is written as an element."""
        return chain.from_iterable(element.children for element in self.descriptions)

    def named(self, namespace: str, local: str) -> list[Element]:
        """The properties of one name that are written as elements."""
        return [element for element in self.properties() if element.name == (namespace, local)]

    def refuse(self, reason: str) -> NoReturn:
        """Raise TagRefusedError: this document is left alone for `reason`."""
        raise TagRefusedError(reason, self.target)


def read_xmp(data: bytes, target: str = SIDECAR) -> Document:
    """Parse an XMP document; `target` names it in the TagRefusedError for one that culld does not change."""
    try:
        return _read(data, target)
    except TagRefusedError as refusal:
        raise TagRefusedError(refusal.reason, target) from refusal


def _read(data: bytes, target: str) -> Document:
    rdfs = [element for element in descendants(_parse(data)) if element.name == (RDF, "RDF")]
    if len(rdfs) != 1 or not rdfs[0].is_open:
        _refuse("it does not hold exactly one open rdf:RDF")
    rdf = rdfs[0]
    if any(element.name != (RDF, "Description") for element in rdf.children):
        _refuse("its rdf:RDF holds something other than rdf:Description")
    if len({_about(element) for element in rdf.children}) > 1:
        _refuse("it describes more than one resource")
    return Document(data, rdf, tuple(rdf.children), target)


def written_attributes(data: bytes, element: Element) -> Iterator[tuple[tuple[str, str] | None, re.Match[bytes]]]:
    """Each attribute of an element as its tag writes it: group 1 its name, group 2 its quoted value.

    The name is that of `Element.attributes`, None for a declaration of a namespace.
    """
    names = {spelled: name for name, spelled in element.spelled.items()}
    position = element.start + len(f"<{element.written(element.name[1])}".encode())
    while match := _ATTRIBUTE.match(data, position, element.opened):
        position = match.end()
        yield names.get(match[1].decode()), match


def layout_before(data: bytes, element: Element) -> bytes:
    """Return the line break and blanks before an element, empty where it stands behind something else."""
    before = data[: element.start]
    blank = before[len(before.rstrip(b" \t\r\n")) :]
    line = blank.rfind(b"\n")
    return b"" if line < 0 else blank[line - blank.startswith(b"\r", max(line - 1, 0)) :]


def removal(data: bytes, element: Element) -> Edit:
    """Return the edit that removes an element with the line break and blanks before it."""
    start = element.start - len(layout_before(data, element))
    return Edit(start, data[start : element.end], b"")


def text_for_xml(text: str) -> str:
    """Text of other programs as XML can carry it: without control characters and outer blanks, each line end as LF."""
    return _NOT_XML.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _about(element: Element) -> str:
    """The resource that a description is about; old writers leave the prefix of `about` out."""
    if (RDF, "nodeID") in element.attributes or (RDF, "ID") in element.attributes:
        _refuse("a description in it is named by node")
    return element.attributes.get((RDF, "about"), element.attributes.get(("", "about"), ""))


def descendants(element: Element) -> Iterator[Element]:
    """An element and everything below it, in no particular order."""
    stack = [element]
    while stack:
        element = stack.pop()
        yield element
        stack.extend(element.children)


def _parse(data: bytes) -> Element:
    """The root element, with everything below it."""
    if len(data) > MAX_BYTES:
        _refuse(f"it is larger than {MAX_BYTES} bytes")
    if b"\0" in data:
        _refuse("it is not UTF-8")
    try:
        return _Builder(data).build()
    except expat.ExpatError as error:
        raise TagRefusedError(f"it is not well-formed XML ({error})") from error


class _Builder:
    """Collects expat's events into elements."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._open: list[Element] = []
        self._roots: list[Element] = []
        self._count = 0
        parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        parser.namespace_prefixes = True
        parser.buffer_text = True
        parser.XmlDeclHandler = self._declare
        parser.StartDoctypeDeclHandler = lambda *_: _refuse("it holds a DOCTYPE")
        parser.EntityDeclHandler = lambda *_: _refuse("it declares entities")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        self._parser = parser

    def build(self) -> Element:
        """Parse everything; a document that expat accepts has one root."""
        self._parser.Parse(self._data, True)
        return self._roots[0]

    def _declare(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() != "utf-8":
            _refuse("it is not UTF-8")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= MAX_DEPTH or self._count > MAX_ELEMENTS:
            _refuse(f"it is nested deeper than {MAX_DEPTH} levels or has more than {MAX_ELEMENTS} elements")
        start = self._parser.CurrentByteIndex
        tag = _TAG.match(self._data, start)
        if tag is None:
            _refuse("a tag in it cannot be found again")
        uri, local, prefix = _split(name)
        names = [_split(key) for key in attributes]
        values = {key[:2]: value for key, value in zip(names, attributes.values(), strict=True)}
        spelled = {key[:2]: f"{key[2]}:{key[1]}" if key[2] else key[1] for key in names}
        element = Element((uri, local), prefix, values, spelled, start, tag.end(), not tag.group().endswith(b"/>"))
        (self._open[-1].children if self._open else self._roots).append(element)
        self._open.append(element)

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        # After an empty-element tag expat already stands behind it.
        element.closing = self._parser.CurrentByteIndex if element.is_open else element.opened
        element.end = self._data.index(b">", element.closing) + 1 if element.is_open else element.opened

    def _text(self, text: str) -> None:
        # Text between child elements is layout; keeping it would cost quadratic time on hostile documents.
        if not self._open[-1].children:
            self._open[-1].text += text


def _split(name: str) -> tuple[str, str, str]:
    """Namespace, local name and prefix out of expat's joined form."""
    parts = name.split(_SEPARATOR)
    if len(parts) == 1:
        return "", parts[0], ""
    return parts[0], parts[1], parts[2] if len(parts) > 2 else ""


def _refuse(reason: str) -> NoReturn:
    """Leave the document alone; `read_xmp` adds which one it is."""
    raise TagRefusedError(reason)
