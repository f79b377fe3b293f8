"""Which container a file is, told from its first bytes."""

from __future__ import annotations

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
"""Names of RAW files: not judged yet, and never opened as TIFF, where Pillow would find only their thumbnail."""


def recognise(head: bytes) -> Format:
    """Tell the format from the first `HEAD_BYTES` bytes of a file."""
    if head.startswith(b"\xff\xd8\xff"):
        return Format.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Format.WEBP
    if head[:4] in {b"II*\x00", b"MM\x00*"}:
        return Format.TIFF
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
