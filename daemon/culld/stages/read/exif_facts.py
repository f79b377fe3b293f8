"""Camera facts out of an EXIF block, and a first block for a file without one; the only module that imports piexif.

piexif must not write into files that have EXIF: of 490 real JPEGs it gave 46 back undamaged.
"""

from __future__ import annotations

import re
import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import piexif

from culld.records import Camera, Exposure, Rating
from culld.tags.containers.ifd import ENTRY_BYTES, TYPE_BYTES

# The exceptions that piexif was seen to raise on damaged blocks.
_DAMAGE = (struct.error, ValueError, KeyError, IndexError, TypeError, OverflowError, piexif.InvalidImageDataError)

_AUTO_BRACKET = 2  # EXIF 2.32, ExposureMode

_HEAD = b"Exif\0\0"  # without it piexif would take the bytes for the name of a file, and open that
_DIRECTORIES = frozenset({0x8769, 0x8825, 0xA005})
_MAX_BLOCK = 16 * 1024 * 1024
_LONGEST_TEXT = 1024
_OFFSET = re.compile(r"([+-])([0-9]{2}):([0-5][0-9])")
_LARGEST_OFFSET = timedelta(hours=14)  # Kiribati


def camera_facts(block: bytes) -> Camera:
    """Read the facts out of an EXIF block (with its `Exif` head); a damaged or missing block yields none.

    A value that no camera can mean counts as missing: some writers put 0 for an unknown value, others leave the bytes
    that were in memory.
    """
    loaded = _loaded(block)
    first, exif = loaded["0th"], loaded["Exif"]
    exposure = {
        "time_s": _rational(exif.get(piexif.ExifIFD.ExposureTime)),
        "aperture": _rational(exif.get(piexif.ExifIFD.FNumber)),
        "iso": _positive_int(exif.get(piexif.ExifIFD.ISOSpeedRatings)),
        "bias_ev": _rational(exif.get(piexif.ExifIFD.ExposureBiasValue)),
    }
    camera = {
        "model": _text(first.get(piexif.ImageIFD.Model)),
        "orientation": first.get(piexif.ImageIFD.Orientation),
        "focal_mm": _rational(exif.get(piexif.ExifIFD.FocalLength)),
        "auto_bracket": exif.get(piexif.ExifIFD.ExposureMode) == _AUTO_BRACKET,
    }
    taken_at = _moment(
        _text(exif.get(piexif.ExifIFD.DateTimeOriginal)),
        _text(exif.get(piexif.ExifIFD.SubSecTimeOriginal)),
        _text(exif.get(piexif.ExifIFD.OffsetTimeOriginal)),
    )
    return Camera.of(camera, taken_at, Exposure.of(exposure))


def exif_rating(block: bytes) -> tuple[Rating, ...]:
    """Return the ratings in an EXIF block: Rating (0x4746) and RatingPercent (0x4749), which Windows writes to IFD0."""
    first = _loaded(block)["0th"]
    stars = _positive_int(first.get(piexif.ImageIFD.Rating)) or 0
    percent = _positive_int(first.get(piexif.ImageIFD.RatingPercent)) or 0
    found = [Rating(f"EXIF Rating {stars}", min(stars, 5))] if stars else []
    return (*found, Rating.of_percent(f"EXIF RatingPercent {percent}", percent)) if percent else tuple(found)


def keyword_block(value: bytes) -> bytes:
    """A new EXIF block (without its `Exif` head) that holds XPKeywords alone; `value` holds the bytes of the field."""
    block: bytes = piexif.dump({"0th": {piexif.ImageIFD.XPKeywords: tuple(value)}})
    return block[len(_HEAD) :]


def _loaded(block: bytes) -> dict[str, Any]:
    """What piexif reads; empty directories where it cannot."""
    empty: dict[str, Any] = {"0th": {}, "Exif": {}}
    if not block.startswith(_HEAD) or len(block) > _MAX_BLOCK:
        return empty
    try:
        _reject_oversized_counts(block[len(_HEAD) :])
        loaded: dict[str, Any] = piexif.load(block)
    except _DAMAGE:
        return empty
    return loaded


def _reject_oversized_counts(tiff: bytes) -> None:
    """Refuse a block in which an entry claims more bytes than the block has.

    piexif would allocate what a count claims, up to 36 GB for a block of 200 bytes, before it looks at the data.
    """
    order = "<" if tiff[:2] == b"II" else ">"
    waiting, seen = [struct.unpack_from(order + "I", tiff, 4)[0]], set()
    while waiting:
        offset = waiting.pop()
        if offset in seen:
            raise ValueError("the directories of the EXIF block lead in a circle")
        seen.add(offset)
        (entries,) = struct.unpack_from(order + "H", tiff, offset)
        for number in range(entries):
            tag, kind, count, value = struct.unpack_from(order + "HHII", tiff, offset + 2 + ENTRY_BYTES * number)
            if count * TYPE_BYTES.get(kind, 8) > len(tiff):
                raise ValueError("an entry of the EXIF block is larger than the block")
            if tag in _DIRECTORIES:
                waiting.append(value)
        following = tiff[offset + 2 + ENTRY_BYTES * entries :][:4]
        if len(seen) == 1 and len(following) == 4 and any(following):
            waiting.append(struct.unpack(order + "I", following)[0])


def _text(value: object) -> str | None:
    if not isinstance(value, bytes):
        return None
    text = value[:_LONGEST_TEXT].split(b"\0")[0].decode("utf-8", "replace").strip()
    return text or None


def _rational(value: object) -> float | None:
    match value:
        case (int(over), int(under)) if under:
            return over / under
    return None


def _positive_int(value: object) -> int | None:
    first = value[0] if isinstance(value, tuple) and value else value
    return first if isinstance(first, int) and first > 0 else None


def _moment(text: str | None, fraction: str | None, offset: str | None) -> datetime | None:
    """EXIF writes local time, often without saying where; then UTC stands in, good enough to order shots by.

    `fraction` is what stands behind the decimal point of the seconds. An offset of another form than `+HH:MM`, or a
    larger one than any country has, is none.
    """
    if text is None:
        return None
    try:
        moment = datetime.strptime(text, "%Y:%m:%d %H:%M:%S").replace(tzinfo=_zone(offset))
    except ValueError:
        return None
    if fraction and fraction.isascii() and fraction.isdigit():
        moment = moment.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    return moment


def _zone(offset: str | None) -> timezone:
    """The time zone that EXIF 2.31 writes as `+HH:MM` or `-HH:MM`; UTC where there is none."""
    found = _OFFSET.fullmatch(offset or "")
    if found is None:
        return UTC
    sign, hours, minutes = found.groups()
    east = timedelta(hours=int(hours), minutes=int(minutes))
    return UTC if east > _LARGEST_OFFSET else timezone(-east if sign == "-" else east)
