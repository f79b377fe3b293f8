"""The edits that put keywords and reject flags into a photo itself, whatever its format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.tags.containers import MetadataChange
from culld.tags.containers.ifd_append import XP_KEYWORDS
from culld.tags.containers.registry import read_container
from culld.tags.embedded_metadata import embedded_metadata_in
from culld.tags.keywords import changed_keywords, check_keywords, encode_keywords, new_block
from culld.tags.packet import packet_edits, removed_keywords

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from culld.records import Edit, Format, RejectFlag
    from culld.tags.containers import Container


def embedded_edits(
    data: bytes,
    format_: Format,
    keywords: Sequence[str],
    flags: Sequence[RejectFlag] = (),
    build_exif: Callable[[bytes], bytes] = new_block,
) -> tuple[Edit, ...]:
    """The edits that bring `keywords` and reject flags into a photo, and take out those of culld that are not wanted.

    There are none where nothing changes. `build_exif` makes the EXIF block of a JPEG that has none, from the bytes of
    XPKeywords. Raises TagRefusedError where the photo cannot be changed without risk.
    """
    container = read_container(data, format_)
    change = exif_change(container, keywords, removed_keywords(container.packet, keywords), build_exif)
    packet = packet_edits(container.packet, keywords, embedded_metadata_in(data, format_), flags)
    return container.splice(MetadataChange(packet, change.entries, change.new_block))


def exif_change(
    container: Container,
    keywords: Sequence[str],
    removed: Collection[str] = (),
    build_exif: Callable[[bytes], bytes] = new_block,
) -> MetadataChange:
    """The change that adds `keywords` to XPKeywords, and takes out those `removed`; raises TagRefusedError."""
    check_keywords(keywords)
    if not container.holds_keywords_in_exif:
        return MetadataChange()
    block = container.exif_block()
    if block is None:
        return MetadataChange(new_block=build_exif(encode_keywords(keywords)) if keywords else None)
    words = changed_keywords(block, keywords, removed)
    entries: Mapping[int, bytes | None] = (
        {} if words is None else {XP_KEYWORDS: encode_keywords(words) if words else None}
    )
    return MetadataChange(entries=entries)
