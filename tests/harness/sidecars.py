"""Sidecars as photo programs write them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ATTRIBUTE = re.compile(r'(\w+):(\w+)="([^"]*)"')
_WORD = re.compile(r"<rdf:li>([^<]*)</rdf:li>")

DARKTABLE = """\
<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:culld="https://culld.example/ns/1.0/"
    xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
    xmlns:darktable="http://darktable.sf.net/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
{values}
   exif:DateTimeOriginal=""
   xmp:Rating="1"
   xmpMM:DerivedFrom="a.jpg"
   darktable:import_timestamp="63931199876964444"
   darktable:change_timestamp="-1"
   darktable:xmp_version="5"
   darktable:auto_presets_applied="1"
   darktable:history_end="1">
   <darktable:masks_history>
    <rdf:Seq/>
   </darktable:masks_history>
   <darktable:history>
    <rdf:Seq>
     <rdf:li
      darktable:num="0"
      darktable:operation="flip"
      darktable:enabled="1"
      darktable:modversion="2"
      darktable:params="ffffffff"
      darktable:multi_name=""
      darktable:multi_priority="0"/>
    </rdf:Seq>
   </darktable:history>
   <dc:subject>
    <rdf:{container}>
{words}
    </rdf:{container}>
   </dc:subject>
   <lr:hierarchicalSubject>
    <rdf:{container}>
{words}
    </rdf:{container}>
   </lr:hierarchicalSubject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
"""What darktable 4.2.1 leaves of a sidecar that it imports: one description, other programs' values sorted by name."""


def as_darktable(values: dict[str, str], words: Sequence[str], container: str = "Bag") -> bytes:
    """A sidecar of darktable with these values in culld's namespace and these keywords."""
    return DARKTABLE.format(
        values="\n".join(f'   culld:{name}="{value}"' for name, value in sorted(values.items())),
        words="\n".join(f"     <rdf:li>{word}</rdf:li>" for word in words),
        container=container,
    ).encode()


def as_darktable_rewrites(old: bytes, *words: str) -> bytes:
    """Return culld's sidecar as darktable rewrites it on import; the user has added the keywords `words`."""
    text = old.decode()
    values = {name: value for prefix, name, value in _ATTRIBUTE.findall(text) if prefix == "culld"}
    return as_darktable(values, [*_WORD.findall(text), *words])
