"""Which container a file is, told from its first bytes."""

from __future__ import annotations

from pathlib import PurePath

from culld.records import Format

HEAD_BYTES = 32
"""How many leading bytes `recognise` needs."""

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})

EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif", ".hif", ".avif"}
)
"""Names, in lower case, of the files that culld judges."""

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
"""Names of RAW files, which are never opened as TIFF, where Pillow would find only their thumbnail."""

# Fujifilm, Olympus (three byte orders), Panasonic, Canon until 2018 and since.
_RAW_HEADS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0")
_CANON = b"CR\2\0"
_CANON_BRAND = b"crx "


def recognise(head: bytes, name: str = "") -> Format:
    """Tell the format from the first `HEAD_BYTES` bytes of a file, and of a TIFF from its name whether it is a RAW."""
    if head.startswith(_RAW_HEADS) or head[8:12] == (_CANON if head[:2] in {b"II", b"MM"} else _CANON_BRAND):
        return Format.RAW
    if head.startswith(b"\xff\xd8\xff"):
        return Format.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Format.WEBP
    if head[:4] in {b"II*\x00", b"MM\x00*"}:
        return Format.RAW if PurePath(name).suffix.lower() in RAW_EXTENSIONS else Format.TIFF
    return _recognise_box(head) if head[4:8] == b"ftyp" else Format.UNKNOWN


def _recognise_box(head: bytes) -> Format:
    """Tell HEIF from AVIF by the major brand, then by the compatible brands (ISO/IEC 23008-12)."""
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, len(head) - 3, 4))]
    for brand in brands:
        if brand in _AVIF_BRANDS:
            return Format.AVIF
        if brand in _HEIF_BRANDS and brand not in {b"mif1", b"msf1"}:
            return Format.HEIF
    return Format.HEIF if _HEIF_BRANDS.intersection(brands) else Format.UNKNOWN
