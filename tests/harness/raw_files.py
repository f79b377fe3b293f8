"""RAW files made byte by byte: uncompressed DNGs (DNG 1.4), with or without a preview inside."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from harness import factories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

WHITE = 4095
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 10: 8}
_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _SIGNED = 1, 2, 3, 4, 5, 10

Field = tuple[int, int, bytes]


def _shorts(tag: int, *values: int) -> Field:
    return tag, _SHORT, struct.pack(f"<{len(values)}H", *values)


def _longs(tag: int, *values: int) -> Field:
    return tag, _LONG, struct.pack(f"<{len(values)}I", *values)


def _ratios(tag: int, kind: int, *values: float) -> Field:
    return tag, kind, b"".join(struct.pack("<ii", round(value * 10_000), 10_000) for value in values)


def dng(image: Image.Image, *, light: float = 1.0, preview: Image.Image | None = None, orientation: int = 1) -> bytes:
    """A DNG whose sensor saw the image, as bright as `light` says; values beyond the white level are cut off."""
    mosaic = _mosaic(image, light)
    height, width = mosaic.shape
    jpeg = b"" if preview is None else factories.encoded(preview, quality=92)
    raw = [
        _longs(254, 0),
        _longs(256, width),
        _longs(257, height),
        _shorts(258, 16),
        _shorts(259, 1),
        _shorts(262, 32803),
        _longs(273, 0),
        _shorts(277, 1),
        _longs(278, height),
        _longs(279, mosaic.nbytes),
        _shorts(33421, 2, 2),
        (33422, _BYTE, bytes((0, 1, 1, 2))),
        _shorts(50714, 0),
        _shorts(50717, WHITE),
    ]
    colour = [
        (271, _ASCII, b"Maker\0"),
        (272, _ASCII, b"Camera\0"),
        _shorts(274, orientation),
        (50706, _BYTE, bytes((1, 4, 0, 0))),
        (50708, _ASCII, b"Maker Camera\0"),
        _ratios(50721, _SIGNED, 3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.204, 1.057),
        _ratios(50728, _RATIONAL, 1, 1, 1),
        _shorts(50778, 21),
    ]
    if preview is None:
        return _file([[*raw, *colour]], [mosaic.tobytes()])
    first = [
        _longs(254, 1),
        _longs(256, preview.width),
        _longs(257, preview.height),
        _shorts(258, 8, 8, 8),
        _shorts(259, 7),
        _shorts(262, 6),
        _longs(273, 0),
        _shorts(277, 3),
        _longs(278, preview.height),
        _longs(279, len(jpeg)),
        _longs(330, 0),
    ]
    return _file([[*first, *colour], raw], [jpeg, mosaic.tobytes()])


def _mosaic(image: Image.Image, light: float) -> np.ndarray:
    """Return the mosaic of a sensor with the pattern red, green, green, blue; sRGB is linearised approximately."""
    linear = (np.asarray(image.convert("RGB"), np.float64) / 255) ** 2.2 * light
    seen = np.empty(linear.shape[:2])
    for row, column, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        seen[row::2, column::2] = linear[row::2, column::2, channel]
    return (seen * WHITE).clip(0, WHITE).astype("<u2")


def _file(directories: Sequence[list[Field]], bodies: Sequence[bytes]) -> bytes:
    """A TIFF with these directories, the second one as a SubIFD of the first, and the strip of each."""
    starts, position = [], 8
    for fields in directories:
        starts.append(position)
        position += 2 + 12 * len(fields) + 4 + sum(_space(value) for _, _, value in fields)
    strips = [position + sum(len(body) for body in bodies[:number]) for number in range(len(bodies))]
    data = b"II*\0" + struct.pack("<I", 8)
    for start, fields, strip in zip(starts, directories, strips, strict=True):
        there = {273: struct.pack("<I", strip), 330: struct.pack("<I", starts[-1])}
        data += _directory(start, [(tag, kind, there.get(tag, value)) for tag, kind, value in sorted(fields)])
    return data + b"".join(bodies)


def _directory(start: int, fields: Sequence[Field]) -> bytes:
    end = start + 2 + 12 * len(fields) + 4
    entries, values = b"", b""
    for tag, kind, value in fields:
        stored = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", end + len(values))
        entries += struct.pack("<HHI", tag, kind, len(value) // _SIZES[kind]) + stored
        values += value.ljust(_space(value), b"\0") if len(value) > 4 else b""
    return struct.pack("<H", len(fields)) + entries + bytes(4) + values


def _space(value: bytes) -> int:
    return len(value) + len(value) % 2 if len(value) > 4 else 0
