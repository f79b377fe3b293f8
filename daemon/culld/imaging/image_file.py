"""Open the file of a photo with Pillow: limits, decoders, and one clear sentence for the errors of damaged files."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from culld.errors import PhotoError
from culld.records import Format

if TYPE_CHECKING:
    from collections.abc import Iterator

_DECODERS = {
    Format.JPEG: ("JPEG", "MPO"),  # phones store a gain map as a second image; the first one is the photo
    Format.PNG: ("PNG",),
    Format.WEBP: ("WEBP",),
    Format.TIFF: ("TIFF",),
    Format.HEIF: ("HEIF",),
    Format.AVIF: ("AVIF",),
    Format.JXL: ("JXL",),
}


class UnreadableError(PhotoError):
    """The bytes are not a complete photo, or not one that culld supports."""


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """The largest photo that is decoded: width times height, in pixels."""

    pixels: int = 250_000_000


def size_of(stream: BinaryIO, format_: Format, limits: DecodeLimits) -> tuple[int, int]:
    """Return width and height of a photo before its EXIF orientation, in pixels; raises `UnreadableError`."""
    with translate_decode_errors(), open_image(stream, format_, limits) as image:
        return image.size


def has_orientation(stream: BinaryIO, format_: Format, limits: DecodeLimits) -> bool:
    """Return whether the EXIF of a photo holds an orientation; raises `UnreadableError`."""
    with translate_decode_errors(), open_image(stream, format_, limits) as image:
        return ExifTags.Base.Orientation in image.getexif()


def embedded_exif(stream: BinaryIO, format_: Format, limits: DecodeLimits) -> bytes:
    """Return the EXIF block of a photo from Pillow, with its `Exif` head; empty if there is none."""
    with translate_decode_errors(), open_image(stream, format_, limits) as image:
        block = image.info.get("exif", b"")
        return block if isinstance(block, bytes) else b""


def open_image(stream: BinaryIO, format_: Format, limits: DecodeLimits) -> Image.Image:
    """Open a photo without decoding its pixels; raises `UnreadableError` if it is too large or of another format."""
    decoders = _DECODERS.get(format_)
    if decoders is None:
        raise UnreadableError("not a photo of a format that culld reads")
    if format_ is Format.HEIF:
        load_heif()
    if format_ is Format.JXL:
        load_jxl()
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = None  # the check below has a clearer message, and applies to every format
    image = Image.open(stream, formats=decoders)
    if image.width * image.height > limits.pixels:
        raise UnreadableError(
            f"{image.width}x{image.height} pixels are more than limits.pixels allows ({limits.pixels})"
        )
    return image


def load_heif() -> None:
    """Register the HEIF decoder at the first HEIF photo; most folders do not need it."""
    import pillow_heif  # noqa: PLC0415

    pillow_heif.register_heif_opener(thumbnails=False)


def load_jxl() -> None:
    """Register the decoder of JPEG XL, an extra; raises `UnreadableError` if it is not installed."""
    try:
        import pillow_jxl  # noqa: F401, PLC0415 - importing it registers the decoder
    except ModuleNotFoundError as error:
        raise UnreadableError("JPEG XL can only be read with the extra `jxl` installed") from error


@contextlib.contextmanager
def translate_decode_errors() -> Iterator[None]:
    """Raise `UnreadableError` with one clear sentence for the exceptions of decoders about damaged files."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of unusual metadata, which do not affect the pixels
            yield
    except UnreadableError:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableError("damaged: the header of the photo cannot be read") from error
    except MemoryError as error:
        raise UnreadableError("too large to decode within limits.memory") from error
    except _DECODE_ERRORS as error:
        raise UnreadableError(f"damaged or incomplete: {error}") from error


# The exceptions that Pillow's decoders raised on damaged files in tests.
_DECODE_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    IndexError,
    KeyError,
    OverflowError,
    ZeroDivisionError,
    RuntimeError,
    AttributeError,
)
