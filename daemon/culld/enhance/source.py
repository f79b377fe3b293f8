"""The photo that a copy is made of: its pixels as they are stored, and what travels with them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.enhance.jpeg_quality import estimated_quality
from culld.errors import PhotoError
from culld.imaging.image_file import open_image, translate_decode_errors
from culld.records import Format

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from culld.imaging.image_file import DecodeLimits

    Pixels = NDArray[np.uint8]

_ANIMATED: Final = frozenset({Format.PNG, Format.WEBP, Format.AVIF})
_PIXI: Final = 9
"""From the name of the box `pixi` to the depth of its first channel, in bytes (ISO/IEC 23008-12, 6.5.6)."""
_BITS_PER_SAMPLE: Final = 258
_LAYOUT_OF_TIFF: Final = frozenset(
    {254, 255, *range(256, 260), 262, 263, 266, 273, *range(277, 282), 284, 317, 320, *range(322, 326), 330, 338, 339}
    | {340, 341, 347, *range(512, 522), *range(529, 533), 700, 33723, 34377, 34675}
)
"""The tags that describe the pixels of a TIFF, or hold XMP, IPTC and the profile, which have places of their own."""


class RefusedError(PhotoError):
    """The photo can be read, but no copy of it is made; the text is one sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class CopySource:
    """A decoded photo.

    `pixels` are uint8 RGB (height, width, 3), not turned by the EXIF orientation; equal channels where it `is_grey`.
    `exif` is the EXIF block without its head. Pixels that stand upright whatever the metadata say are `is_upright`.
    """

    pixels: Pixels
    is_grey: bool = False
    profile: bytes | None = None
    exif: bytes = b""
    dpi: tuple[float, float] | None = None
    is_upright: bool = False


def read_source(data: bytes, format_: Format, limits: DecodeLimits) -> CopySource:
    """Decode the bytes of a photo that is no RAW.

    Raises RefusedError for a photo that a JPEG of 8 bits cannot hold without loss, UnreadableError for a damaged one.
    """
    with translate_decode_errors(), open_image(io.BytesIO(data), format_, limits) as image:
        _require_plain(image, data, format_)
        image.load()
        exif = _exif_of_tiff(image) if format_ is Format.TIFF else image.info.get("exif", b"")
        profile = image.info.get("icc_profile")
        return CopySource(
            _opaque_pixels(image),
            is_grey=image.mode in {"L", "1", "LA"},
            profile=profile if isinstance(profile, bytes) and profile else None,
            exif=exif.removeprefix(b"Exif\0\0"),
            dpi=_dpi(image),
        )


def quality_of(data: bytes, limits: DecodeLimits) -> int | None:
    """Return the quality 1..100 of a JPEG by its tables; None without tables. Raises UnreadableError."""
    with translate_decode_errors(), open_image(io.BytesIO(data), Format.JPEG, limits) as image:
        return estimated_quality(getattr(image, "quantization", None))


def _exif_of_tiff(image: Image.Image) -> bytes:
    """Return what a TIFF says in the tags of EXIF, as a block."""
    exif = image.getexif()
    for tag in _LAYOUT_OF_TIFF:
        exif.pop(tag, None)
    return exif.tobytes() if exif else b""


def _require_plain(image: Image.Image, data: bytes, format_: Format) -> None:
    """Raise RefusedError for another colour model than grey and RGB, more than 8 bits, and several pictures."""
    if image.mode in {"CMYK", "LAB", "YCbCr", "HSV"} and not (format_ is Format.JPEG and image.mode == "YCbCr"):
        raise RefusedError(f"it is in {image.mode} colours: convert it to RGB first, since a copy could not keep them")
    if format_ is Format.JXL:
        raise RefusedError("JPEG XL photos are not repaired, since they may have more than 8 bits: convert it to PNG")
    depth = _depth(image, data, format_)
    if depth > 8:
        raise RefusedError(f"it has {depth} bits a channel, which a copy of 8 bits would lose: repair it in an editor")
    if format_ in _ANIMATED and getattr(image, "n_frames", 1) > 1:
        raise RefusedError("it is an animation, and only single photos are repaired")


def _depth(image: Image.Image, data: bytes, format_: Format) -> int:
    """Return the bits of a channel: Pillow reduces most photos with 16 to 8."""
    if image.mode.startswith("I") or image.mode == "F":
        return 32 if image.mode == "F" else 16
    if format_ is Format.PNG:
        return data[24]  # of the chunk IHDR (ISO/IEC 15948, 11.2.2)
    if format_ is Format.TIFF:
        return max(map(int, np.atleast_1d(getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, 8))))
    if format_ in {Format.HEIF, Format.AVIF}:
        place = data.find(b"pixi", 0, 1 << 16)
        return data[place + _PIXI] if 0 <= place < len(data) - _PIXI else 8
    return 8


def _opaque_pixels(image: Image.Image) -> Pixels:
    """Return the pixels as RGB; raises RefusedError if some of them are transparent."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            raise RefusedError("it has transparent parts, which a JPEG copy cannot hold")
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"), np.uint8)


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    found = image.info.get("dpi")
    return found if isinstance(found, tuple) and len(found) == 2 else None
