"""Read camera facts from an EXIF block and make a block for a file without one; the only module that imports piexif.

piexif must not change the EXIF of a file that has it: of 490 real JPEGs it left 46 undamaged.
"""

from __future__ import annotations

import re
import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import piexif

from culld.records import Camera, Exposure, Rating
from culld.tags.containers.ifd import ENTRY_BYTES, TYPE_BYTES

# The exceptions that piexif raised on damaged blocks in tests.
_PIEXIF_ERRORS = (
    struct.error,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    OverflowError,
    piexif.InvalidImageDataError,
)

_AUTO_BRACKET = 2  # EXIF 2.32, ExposureMode

_EXIF_HEAD = b"Exif\0\0"  # without it piexif takes the bytes for a file name and opens that file
_DIRECTORIES = frozenset({0x8769, 0x8825, 0xA005})
_MAX_BLOCK = 16 * 1024 * 1024
_LONGEST_TEXT = 1024
_OFFSET = re.compile(r"([+-])([0-9]{2}):([0-5][0-9])")
_LARGEST_OFFSET = timedelta(hours=14)  # UTC+14, Kiribati


def camera_facts(block: bytes) -> Camera:
    """Return the camera facts in an EXIF block (with its `Exif` head); a damaged or missing block gives none.

    A value that is impossible for a camera counts as missing: some programs write 0 for an unknown value, others write
    uninitialised memory.
    """
    loaded = _load_directories(block)
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
    taken_at = _parse_time(
        _text(exif.get(piexif.ExifIFD.DateTimeOriginal)),
        _text(exif.get(piexif.ExifIFD.SubSecTimeOriginal)),
        _text(exif.get(piexif.ExifIFD.OffsetTimeOriginal)),
    )
    return Camera.of(camera, taken_at, Exposure.of(exposure))


def exif_rating(block: bytes) -> tuple[Rating, ...]:
    """Return the ratings in an EXIF block: Rating (0x4746) and RatingPercent (0x4749), which Windows writes to IFD0."""
    first = _load_directories(block)["0th"]
    stars = _positive_int(first.get(piexif.ImageIFD.Rating)) or 0
    percent = _positive_int(first.get(piexif.ImageIFD.RatingPercent)) or 0
    found = [Rating(f"EXIF Rating {stars}", min(stars, 5))] if stars else []
    return (*found, Rating.of_percent(f"EXIF RatingPercent {percent}", percent)) if percent else tuple(found)


def keyword_block(value: bytes) -> bytes:
    """Return a new EXIF block (without its `Exif` head) with XPKeywords only; `value` is the content of that field."""
    block: bytes = piexif.dump({"0th": {piexif.ImageIFD.XPKeywords: tuple(value)}})
    return block[len(_EXIF_HEAD) :]


def _load_directories(block: bytes) -> dict[str, Any]:
    """Return the directories that piexif reads; empty ones if it cannot read the block."""
    empty: dict[str, Any] = {"0th": {}, "Exif": {}}
    if not block.startswith(_EXIF_HEAD) or len(block) > _MAX_BLOCK:
        return empty
    try:
        _reject_oversized_counts(block[len(_EXIF_HEAD) :])
        loaded: dict[str, Any] = piexif.load(block)
    except _PIEXIF_ERRORS:
        return empty
    return loaded


def _reject_oversized_counts(tiff: bytes) -> None:
    """Raise ValueError if an entry states more bytes than the block has, or if the directories form a cycle.

    piexif allocates the stated size, up to 36 GB for a block of 200 bytes, before it reads the data.
    """
    order = "<" if tiff[:2] == b"II" else ">"
    waiting, seen = [struct.unpack_from(order + "I", tiff, 4)[0]], set()
    while waiting:
        offset = waiting.pop()
        if offset in seen:
            raise ValueError("the directories of the EXIF block form a cycle")
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


def _parse_time(text: str | None, fraction: str | None, offset: str | None) -> datetime | None:
    """Return an EXIF time; None if it is missing or malformed.

    EXIF holds local time, often without an offset. UTC is used then, which is enough to order photos. `fraction` holds
    the digits after the decimal point of the seconds. For `offset` see `_zone`.
    """
    if text is None:
        return None
    try:
        parsed = datetime.strptime(text, "%Y:%m:%d %H:%M:%S").replace(tzinfo=_zone(offset))
    except ValueError:
        return None
    if fraction and fraction.isascii() and fraction.isdigit():
        parsed = parsed.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    return parsed


def _zone(offset: str | None) -> timezone:
    """Return the zone of an EXIF 2.31 offset, `+HH:MM` or `-HH:MM`; UTC if it is missing, malformed or over 14 h."""
    found = _OFFSET.fullmatch(offset or "")
    if found is None:
        return UTC
    sign, hours, minutes = found.groups()
    east = timedelta(hours=int(hours), minutes=int(minutes))
    return UTC if east > _LARGEST_OFFSET else timezone(-east if sign == "-" else east)
