"""The parts behind the primary picture that a photo's XMP lists, with their lengths.

Ultra HDR and Motion Photos list them in `Container:Directory` (Ultra HDR image format 1.1, "GContainer XMP"; Motion
Photo format 1.0, "Container element"), the older Micro Videos by their distance from the end of the file
(`GCamera:MicroVideoOffset`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

_ITEM: Final = "http://ns.google.com/photos/1.0/container/item/"
_CAMERA: Final = "http://ns.google.com/photos/1.0/camera/"
_LIST_ITEM: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns# li"
_LENGTH, _PADDING = f"{_ITEM} Length", f"{_ITEM} Padding"
_MICRO_VIDEO: Final = f"{_CAMERA} MicroVideoOffset"
_NUMBER: Final = re.compile(r"\s*\d{1,15}\s*", re.ASCII)
_NEEDED: Final = (_ITEM.encode(), b"MicroVideoOffset")
_MAX_ELEMENTS: Final = 2000


class _TooLargeError(Exception):
    """The document has more elements, or other parts, than a photo's XMP has."""


def bytes_behind(packet: bytes) -> int:
    """Return how many bytes follow the primary picture by an XMP packet; 0 where it does not list any.

    A packet that is no well-formed XML, or that holds a DOCTYPE, counts as listing none.
    """
    if not any(name in packet for name in _NEEDED):
        return 0
    reader = _Reader()
    try:
        reader.read(packet)
    except (expat.ExpatError, _TooLargeError):
        return 0
    return reader.total()


@dataclass
class _Reader:
    """Collects the lengths of a packet, spelled as attributes or as elements."""

    items: list[dict[str, int]] = field(default_factory=lambda: [{}])
    micro_video: int = 0
    elements: int = 0
    _text: list[str] = field(default_factory=list)

    def read(self, packet: bytes) -> None:
        """Parse a packet; raises ExpatError or _TooLargeError."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartElementHandler = self._start
        parser.CharacterDataHandler = self._text.append
        parser.EndElementHandler = self._end
        parser.Parse(packet, True)

    def total(self) -> int:
        """The bytes behind the primary, which is the first item: of it only the padding counts."""
        primary, *others = [item for item in self.items if item] or [{}]
        listed = sum(item.get(_LENGTH, 0) + item.get(_PADDING, 0) for item in others)
        return max(listed + primary.get(_PADDING, 0) if others else 0, self.micro_video)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements > _MAX_ELEMENTS:
            raise _TooLargeError
        self._text.clear()
        if name == _LIST_ITEM:
            self.items.append({})
        for key, value in attributes.items():
            self._take(key, value)

    def _end(self, name: str) -> None:
        self._take(name, "".join(self._text))
        self._text.clear()

    def _take(self, name: str, text: str) -> None:
        if name.startswith(_ITEM):
            number = int(text) if _NUMBER.fullmatch(text) else 0
            self.items[-1].setdefault(name, number)
        elif name == _MICRO_VIDEO and _NUMBER.fullmatch(text):
            self.micro_video = int(text)


def _refuse(*_: object) -> None:
    raise _TooLargeError
