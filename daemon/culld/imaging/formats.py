"""The format of a file by its first bytes, and the file name extensions that the installed decoders support."""

from __future__ import annotations

import importlib.util
from pathlib import PurePath

from culld.imaging.clip_containers import clip_container
from culld.records import Format

HEAD_BYTES = 32
"""How many leading bytes `recognise` needs."""

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})

JXL_EXTENSION = ".jxl"

EXTENSIONS = frozenset(
    {
        JXL_EXTENSION,
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".webp",
        ".tif",
        ".tiff",
        ".heic",
        ".heif",
        ".hif",
        ".avif",
    }
)
"""The file name extensions, in lower case, that culld supports, besides those of RAW files."""

RAW_EXTENSIONS = frozenset(
    {
        ".cr2",
        ".cr3",
        ".crw",
        ".nef",
        ".nrw",
        ".arw",
        ".srf",
        ".sr2",
        ".raf",
        ".orf",
        ".rw2",
        ".dng",
        ".pef",
        ".srw",
        ".raw",
    }
)
"""The extensions of RAW files, which are never opened as TIFF: Pillow would decode only their thumbnail."""

_NEVER_READ = frozenset(
    {".bmp", ".gif", ".psd", ".psb", ".tga", ".jp2", ".j2k", ".exr", ".hdr", ".pcx", ".ppm", ".pgm", ".xcf", ".x3f"}
)
"""The extensions of other pictures that cameras, scanners and editors write."""

_HEADS = {
    b"\xff\xd8\xff": Format.JPEG,
    b"\x89PNG\r\n\x1a\n": Format.PNG,
    b"II*\0": Format.TIFF,
    b"MM\0*": Format.TIFF,
    b"\xff\x0a": Format.JXL,  # a bare codestream; the next line is a container (ISO/IEC 18181-2)
    b"\0\0\0\x0cJXL \r\n\x87\n": Format.JXL,
    b"FUJIFILMCCD-RAW": Format.RAW,
    b"IIRO": Format.RAW,  # Olympus, with the next two
    b"IIRS": Format.RAW,
    b"MMOR": Format.RAW,
    b"IIU\0": Format.RAW,  # Panasonic
}
_CANON = b"CR\2\0"
_CANON_BRAND = b"crx "


def recognise(head: bytes, name: str = "") -> Format:
    """Return the format of a file by its first `HEAD_BYTES` bytes; a TIFF is a RAW if it has a RAW extension."""
    found = next((format_ for start, format_ in _HEADS.items() if head.startswith(start)), Format.UNKNOWN)
    if found is Format.TIFF and (head[8:12] == _CANON or PurePath(name).suffix.lower() in RAW_EXTENSIONS):
        return Format.RAW
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Format.WEBP
    if head[4:8] == b"ftyp":
        found = _recognise_box(head)
    if found is Format.UNKNOWN and clip_container(head, name) is not None:
        return Format.VIDEO
    return found


def _recognise_box(head: bytes) -> Format:
    """Distinguish Canon's RAW, HEIF and AVIF by the major brand, then by the compatible ones (ISO/IEC 23008-12)."""
    if head[8:12] == _CANON_BRAND:
        return Format.RAW
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, len(head) - 3, 4))]
    for brand in brands:
        if brand in _AVIF_BRANDS:
            return Format.AVIF
        if brand in _HEIF_BRANDS and brand not in {b"mif1", b"msf1"}:
            return Format.HEIF
    return Format.HEIF if _HEIF_BRANDS.intersection(brands) else Format.UNKNOWN


def supported_extensions() -> frozenset[str]:
    """Return the supported extensions in lower case; those of RAW and JPEG XL only if their extras are installed."""
    extensions = EXTENSIONS if importlib.util.find_spec("pillow_jxl") else EXTENSIONS - {JXL_EXTENSION}
    return extensions | RAW_EXTENSIONS if importlib.util.find_spec("rawpy") else extensions


def other_extensions() -> frozenset[str]:
    """Return the extensions, in lower case, of pictures that this culld does not read."""
    return (EXTENSIONS | RAW_EXTENSIONS | _NEVER_READ) - supported_extensions()
