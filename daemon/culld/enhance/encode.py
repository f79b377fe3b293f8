"""The file of a repaired copy: a JPEG with the colour profile, EXIF, IPTC and XMP of its photo."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from PIL import Image

from culld.enhance.exif_copy import HEIGHT, ORIENTATION, WIDTH, with_numbers, without_thumbnail
from culld.enhance.packet_copy import copied_packet
from culld.enhance.source import RefusedError
from culld.errors import TagRefusedError
from culld.imaging.image_file import UnreadableError, translate_decode_errors
from culld.records import Edit
from culld.tags.containers import MetadataChange
from culld.tags.containers.jpeg import APP13, EXIF_HEAD, read_jpeg
from culld.tags.edits import apply_edits
from culld.tags.embedded import exif_change
from culld.tags.embedded_metadata import embedded_metadata_in, fields_in
from culld.tags.own_properties import PARENT, PARENT_DIGEST, REPAIR, REPAIR_MODEL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from culld.enhance.source import CopySource
    from culld.records import Format
    from culld.tags.embedded_metadata import EmbeddedMetadata

    Pixels = NDArray[np.uint8]

QUALITY: Final = 95
_MOST_OF_A_SEGMENT: Final = 65_533
"""A segment of a JPEG holds 65,535 bytes with its length field (T.81, B.1.1.4)."""
_PHOTOSHOP: Final = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0"
"""The head of the segment that holds IPTC, and that of its image resource 0x0404 (IIM 4.2 in JPEG)."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a copy says about where it comes from.

    `name` and `digest` (SHA-256 in hex) are those of the photo, `repair` is what was done, and `model` what did it.
    `repaired` are the keywords of culld that do not hold for the copy any more.
    """

    name: str
    digest: str
    repair: str
    model: str
    repaired: frozenset[str] = field(default_factory=frozenset)


def encode_copy(pixels: Pixels, source: CopySource, metadata: EmbeddedMetadata, origin: Origin) -> bytes:
    """Return the JPEG file of a copy with these pixels, of the shape of those of its `source`, uint8 RGB.

    Its quality is 95, with colour in full resolution; a grey photo stays grey. `metadata` are those in the file of the
    photo. Raises RefusedError if the copy cannot hold them.
    """
    try:
        return _with_metadata(_encoded(pixels, source), metadata, origin, upright=source.is_upright)
    except TagRefusedError as error:
        raise RefusedError(f"its metadata cannot be kept: {error.reason}") from error


def metadata_of(data: bytes, format_: Format) -> EmbeddedMetadata:
    """Return the metadata in the bytes of a photo; raises RefusedError if its XMP cannot be read as a whole."""
    try:
        return embedded_metadata_in(data, format_)
    except TagRefusedError as error:
        raise RefusedError(f"its metadata cannot be kept: {error.reason}") from error


def _encoded(pixels: Pixels, source: CopySource) -> bytes:
    """Return the JPEG with its colour profile and EXIF only."""
    image = Image.fromarray(pixels[..., 0] if source.is_grey else pixels)
    saved, exif = io.BytesIO(), copied_exif(source)
    options: dict[str, Any] = {"exif": EXIF_HEAD + exif} if exif else {}
    if source.dpi is not None:
        options["dpi"] = source.dpi
    image.save(saved, "JPEG", quality=QUALITY, subsampling=0, icc_profile=source.profile, **options)
    return saved.getvalue()


def copied_exif(source: CopySource) -> bytes:
    """Return the EXIF block of a copy; empty if the photo has none.

    Pillow encodes one that does not follow the standard, which moves makers' notes and leaves the thumbnail
    out. Raises RefusedError if it does not fit into a JPEG.
    """
    if not source.exif:
        return b""
    try:
        block = without_thumbnail(source.exif)
        height, width = source.pixels.shape[:2]
        block = with_numbers(block, {ORIENTATION: 1, WIDTH: width, HEIGHT: height}) if source.is_upright else block
    except TagRefusedError:
        block = _rewritten(source)
    if len(block) + len(EXIF_HEAD) > _MOST_OF_A_SEGMENT:
        raise RefusedError("its EXIF is larger than a JPEG can hold")
    return block


def _rewritten(source: CopySource) -> bytes:
    exif = Image.Exif()
    try:
        with translate_decode_errors():
            exif.load(EXIF_HEAD + source.exif)
            if found := fields_in(source.exif).number(ORIENTATION):  # Pillow stops reading at the first damaged entry
                exif[ORIENTATION] = 1 if source.is_upright else found
            return exif.tobytes().removeprefix(EXIF_HEAD)
    except (UnreadableError, struct.error) as error:
        raise RefusedError("its EXIF is damaged, so a copy could not keep it") from error


def _with_metadata(jpeg: bytes, metadata: EmbeddedMetadata, origin: Origin, *, upright: bool) -> bytes:
    properties = {PARENT: origin.name, PARENT_DIGEST: origin.digest, REPAIR: origin.repair, REPAIR_MODEL: origin.model}
    packet, gone, kept = copied_packet(metadata, properties, origin.repaired, upright=upright)
    container = read_jpeg(jpeg)
    change = exif_change(container, kept, gone)
    edits = container.splice(MetadataChange((Edit(0, b"", packet),), change.entries, change.new_block))
    return _with_iptc(apply_edits(jpeg, edits), metadata.iptc)


def _with_iptc(jpeg: bytes, iptc: bytes | None) -> bytes:
    """Return the JPEG with its IPTC behind the EXIF and XMP."""
    if not iptc:
        return jpeg
    body = _PHOTOSHOP + len(iptc).to_bytes(4, "big") + iptc + bytes(len(iptc) % 2)
    if len(body) > _MOST_OF_A_SEGMENT:
        raise RefusedError("its IPTC is larger than a JPEG can hold")
    segment = bytes((0xFF, APP13)) + (len(body) + 2).to_bytes(2, "big") + body
    container = read_jpeg(jpeg)
    place = max((each.end for each in (container.exif, container.xmp) if each is not None), default=2)
    return jpeg[:place] + segment + jpeg[place:]
