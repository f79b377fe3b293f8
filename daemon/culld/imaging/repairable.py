"""Pictures as a repair takes them, from the bytes of a file, and files of the same kind made of the result."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from culld.errors import PhotoError
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.imaging.image_file import DecodeLimits, UnreadableError, open_image, translate_decode_errors
from culld.records import Format

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

FORMATS: Final = (Format.JPEG, Format.PNG, Format.WEBP)
"""The formats that are read and written."""
QUALITY: Final = 95
"""The quality of JPEG and WebP files that are written, so that the encoder undoes nothing of a repair."""
_STRIP: Final = 512  # rows
_MODES: Final = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
_LONGEST: Final = {Format.JPEG: 65_500, Format.WEBP: 16_383}
_MOST_EXIF: Final = 65_533 - 6  # bytes: what one segment of a JPEG holds
_DEEP: Final = 16
_DEPTH_AT: Final = 24  # the byte of a PNG that holds the bits of a channel, by its specification
_LOSSLESS_AT: Final = 12
_XMP: Final = "XML:com.adobe.xmp"


class NotRepairableError(PhotoError):
    """A picture that can be read, but that no repair is made for; the text is a clause that says what to send."""


@dataclass(frozen=True, slots=True, eq=False)
class RepairablePicture:
    """A decoded picture, not turned: its EXIF orientation is kept in its metadata.

    `pixels` is RGB, uint8 (height, width, 3), with three equal channels if `is_grey`; `alpha` is uint8 (height, width),
    None without transparency. `tables` are the quantisation tables of a JPEG; `kept` are options of `Image.save` with
    the metadata.
    """

    format: Format
    pixels: Pixels
    alpha: Pixels | None
    is_grey: bool
    tables: Mapping[int, Sequence[int]] | None
    kept: Mapping[str, Any] = field(default_factory=dict)


def open_repairable(data: bytes, most_pixels: int, narrowest: int = 1) -> RepairablePicture:
    """Decode the file of a picture with at most this many pixels, where a side counts as `narrowest` pixels or more.

    Raises UnreadableError if it is no complete picture of `FORMATS`, NotRepairableError if it is one that no repair is
    made for, and MemoryError if the memory is not enough.
    """
    format_ = recognise(data[:HEAD_BYTES])
    if format_ not in FORMATS:
        raise UnreadableError(f"{_named(format_)}: send JPEG, PNG or WebP")
    with translate_decode_errors(), open_image(io.BytesIO(data), format_, DecodeLimits(10**18)) as image:
        _require_small(image.size, most_pixels, narrowest)
        _require_repairable(image, format_, data)
        image.load()
        return _repairable(image, format_, data)


def _named(format_: Format) -> str:
    return "not a picture that culld reads" if format_ is Format.UNKNOWN else f"{format_.upper()} is not repaired here"


def _require_small(size: tuple[int, int], most_pixels: int, narrowest: int) -> None:
    width, height = size
    if width * height > most_pixels:
        raise NotRepairableError(
            f"{width}x{height} pixels are more than the {most_pixels} that are allowed: send a smaller one"
        )
    if max(width, narrowest) * max(height, narrowest) > most_pixels:
        raise NotRepairableError(
            f"{width}x{height} pixels are too long for squares of {narrowest} pixels, as the network takes: send a part"
        )


def _require_repairable(image: Image.Image, format_: Format, data: bytes) -> None:
    """Raise NotRepairableError for animations, for more than 8 bits, and for colours that are not RGB or grey."""
    if format_ is not Format.JPEG and getattr(image, "n_frames", 1) > 1:
        raise NotRepairableError("it is animated: send one of its frames")
    if (format_ is Format.PNG and data[_DEPTH_AT] == _DEEP) or image.mode.startswith("I"):
        raise NotRepairableError("it has 16 bits a channel, and the network works on 8: send it with 8 bits")
    if image.mode not in _MODES:
        raise NotRepairableError(f"its colours are {image.mode}: send it in RGB or grey")


def _repairable(image: Image.Image, format_: Format, data: bytes) -> RepairablePicture:
    tables = getattr(image, "quantization", None) if format_ is Format.JPEG else None
    kept = _kept(image, is_lossless=format_ is Format.WEBP and data[_LOSSLESS_AT : _LOSSLESS_AT + 4] == b"VP8L")
    has_alpha = image.mode in {"LA", "PA", "RGBA"} or "transparency" in image.info
    is_grey = image.mode in {"1", "L", "LA"}
    alpha = _array(image, _alpha, ()) if has_alpha else None
    return RepairablePicture(format_, _array(image, _rgb, (3,)), alpha, is_grey, tables, kept)


def _array(image: Image.Image, part: Callable[[Image.Image], Image.Image], channels: tuple[int, ...]) -> Pixels:
    """Return a part of an image as an array; by strips, since Pillow copies the whole of an image twice on the way."""
    found = np.empty((image.height, image.width, *channels), np.uint8)
    for top in range(0, image.height, _STRIP):
        bottom = min(top + _STRIP, image.height)
        found[top:bottom] = np.asarray(part(image.crop((0, top, image.width, bottom))))
    return found


def _rgb(image: Image.Image) -> Image.Image:
    return image.convert("RGB")


def _alpha(image: Image.Image) -> Image.Image:
    return image.convert("RGBA").getchannel("A")


def _kept(image: Image.Image, *, is_lossless: bool) -> dict[str, Any]:
    """Return the metadata as options of `Image.save`; XMP of several images names the others as well."""
    kept = {name: image.info[name] for name in ("icc_profile", "dpi") if image.info.get(name)}
    if image.info.get("xmp") and image.format != "MPO":
        kept["xmp"] = image.info["xmp"]
    with contextlib.suppress(UnreadableError), translate_decode_errors():
        kept["exif"] = image.getexif()
    if is_lossless:
        kept["lossless"] = True
    return kept


def require_holds(picture: RepairablePicture, format_: Format, scale: int) -> None:
    """Raise NotRepairableError if this format cannot hold the picture with its sides multiplied by `scale`."""
    if picture.alpha is not None and format_ is Format.JPEG:
        raise NotRepairableError("it has transparent parts, which JPEG cannot hold: ask for PNG or WebP")
    longest, most = scale * max(picture.pixels.shape[:2]), _LONGEST.get(format_)
    if most is not None and longest > most:
        raise NotRepairableError(f"{longest} pixels are more than a side of {format_.upper()} can have: ask for PNG")


def doubled(pixels: Pixels) -> Pixels:
    """Return pixels, uint8 (height, width, 3) or (height, width), with both sides doubled by Lanczos."""
    image = Image.fromarray(pixels)
    larger = image.resize((2 * image.width, 2 * image.height), Image.Resampling.LANCZOS)
    return _array(larger, Image.Image.copy, pixels.shape[2:])


def encoded(picture: RepairablePicture, pixels: Pixels, format_: Format) -> bytes:
    """Return a file with these pixels, uint8 RGB of the picture's shape or of a doubled one, and its transparency.

    It keeps the metadata without the thumbnail in the EXIF block. `require_holds` is to be called before.
    """
    laid = pixels[..., :1] if picture.is_grey else pixels
    if picture.alpha is not None:
        alpha = picture.alpha if picture.alpha.shape == pixels.shape[:2] else doubled(picture.alpha)
        image = Image.fromarray(np.dstack([laid, alpha]))
    else:
        image = Image.fromarray(np.ascontiguousarray(laid[..., 0]) if picture.is_grey else laid)
    stream = io.BytesIO()
    image.save(stream, format_.upper(), **_options(picture, format_, image.size))
    return stream.getvalue()


def _options(picture: RepairablePicture, format_: Format, size: tuple[int, int]) -> dict[str, Any]:
    found = dict(picture.kept)
    is_lossless = found.pop("lossless", False)
    found["exif"] = _exif_bytes(found["exif"], size) if found.get("exif") else b""
    if format_ is Format.JPEG:
        if len(found["exif"]) > _MOST_EXIF:
            found["exif"] = b""
        found |= {"quality": QUALITY, "subsampling": 0}
    if format_ is Format.WEBP:
        found |= {"quality": QUALITY, "lossless": is_lossless}
    if format_ is Format.PNG and "xmp" in found:
        found["pnginfo"] = PngInfo()
        found["pnginfo"].add_itxt(_XMP, found.pop("xmp").decode("utf-8", "replace"))
    return found


def _exif_bytes(exif: Image.Exif, size: tuple[int, int]) -> bytes:
    """Return the EXIF block without its thumbnail, and with the size of the picture where it names one.

    It is empty if the block is damaged: that is no reason to refuse the picture.
    """
    block = b""
    with contextlib.suppress(UnreadableError), translate_decode_errors():
        inner = exif.get_ifd(ExifTags.IFD.Exif)
        for tag, side in ((ExifTags.Base.ExifImageWidth, size[0]), (ExifTags.Base.ExifImageHeight, size[1])):
            if tag in inner:
                inner[tag] = side
        block = exif.tobytes()
    return block
