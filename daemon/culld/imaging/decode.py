"""Decode a file to pixels: the frame of a network, the upright photo, or a region of it.

Training and inference share `to_network_frame`, so a network gets frames that were made as those of its training.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError

from culld.errors import PhotoError
from culld.records import Format
from culld.records.frame import HEIGHT, WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

OVERSAMPLING = 1.5
"""The minimum ratio of the DCT scale to the frame.

With a smaller ratio the DCT filters changed a probability of a camera's photo by 0.014, with this one by 0.002 at most,
at 5 ms more of 45 (6 megapixels, `make bench`).
"""

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


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle in an upright photo, in fractions 0..1 of its width and height; raises ValueError outside of it."""

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        if not (0 <= self.x < self.x + self.width <= 1 and 0 <= self.y < self.y + self.height <= 1):
            raise ValueError(f"{self} is not inside the photo")

    def of(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a copy of this region of upright pixels (height, width, 3), with every pixel that it overlaps."""
        height, width, _ = pixels.shape
        top, bottom = math.floor(self.y * height), math.ceil((self.y + self.height) * height)
        left, right = math.floor(self.x * width), math.ceil((self.x + self.width) * width)
        return pixels[top:bottom, left:right].copy()


def decode(
    stream: BinaryIO, format_: Format, limits: DecodeLimits, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> NDArray[np.uint8]:
    """Decode a photo to a network frame of this (width, height).

    JPEG is decoded at the smallest DCT scale that is `OVERSAMPLING` times the frame or more. Returns uint8 RGB of shape
    (height, width, 3), see `to_network_frame`. Raises `UnreadableError`.
    """
    with _translate_decode_errors(), _open(stream, format_, limits) as image:
        if format_ is Format.JPEG:
            long, short = (round(OVERSAMPLING * side) for side in size)
            image.draft("RGB", (long, short) if image.width >= image.height else (short, long))
        image.load()
        return to_network_frame(image, size)


def decode_upright(
    stream: BinaryIO, format_: Format, limits: DecodeLimits, longest: int | None = None
) -> NDArray[np.uint8]:
    """Decode a photo upright by its EXIF orientation, in its own aspect ratio.

    Its longer side is reduced to `longest` pixels; without `longest` the photo keeps its full resolution.
    Returns uint8 RGB (height, width, 3). Raises `UnreadableError`.
    """
    with _translate_decode_errors(), _open(stream, format_, limits) as image:
        if format_ is Format.JPEG and longest is not None:
            scale = OVERSAMPLING * longest / max(image.size)
            image.draft("RGB", (round(image.width * scale), round(image.height * scale)))
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return _shrunk(_rgb(image), longest)


def shrunk(pixels: NDArray[np.uint8], longest: int | None) -> NDArray[np.uint8]:
    """Return uint8 RGB pixels (height, width, 3) with the longer side reduced to `longest` pixels."""
    return _shrunk(Image.fromarray(pixels), longest)


def _shrunk(image: Image.Image, longest: int | None) -> NDArray[np.uint8]:
    if longest is not None:
        image.thumbnail((longest, longest), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(image, dtype=np.uint8)


def decode_region(stream: BinaryIO, format_: Format, limits: DecodeLimits, region: Region) -> NDArray[np.uint8]:
    """Decode a region of a photo in full resolution: uint8 RGB (height, width, 3); raises `UnreadableError`."""
    return region.of(decode_upright(stream, format_, limits))


def size_of(stream: BinaryIO, format_: Format, limits: DecodeLimits) -> tuple[int, int]:
    """Return width and height of a photo before its EXIF orientation, in pixels; raises `UnreadableError`."""
    with _translate_decode_errors(), _open(stream, format_, limits) as image:
        return image.size


def frame_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return uint8 RGB pixels (height, width, 3) as a frame of the defect network, see `to_network_frame`."""
    return to_network_frame(Image.fromarray(pixels))


def has_orientation(stream: BinaryIO, format_: Format, limits: DecodeLimits) -> bool:
    """Return whether the EXIF of a photo holds an orientation; raises `UnreadableError`."""
    with _translate_decode_errors(), _open(stream, format_, limits) as image:
        return ExifTags.Base.Orientation in image.getexif()


def embedded_exif(stream: BinaryIO, format_: Format, limits: DecodeLimits) -> bytes:
    """Return the EXIF block of a photo from Pillow, with its `Exif` head; empty if there is none."""
    with _translate_decode_errors(), _open(stream, format_, limits) as image:
        block = image.info.get("exif", b"")
        return block if isinstance(block, bytes) else b""


def to_network_frame(image: Image.Image, size: tuple[int, int] = (WIDTH, HEIGHT)) -> NDArray[np.uint8]:
    """Return an image as a network frame of this (width, height): uint8 RGB of shape (height, width, 3).

    The image is turned upright by its EXIF, a portrait then by 90 degrees, which keeps its aspect ratio: blur and
    exposure do not depend on the orientation.
    """
    upright = ImageOps.exif_transpose(image)
    if upright.height > upright.width:
        upright = upright.transpose(Image.Transpose.ROTATE_90)
    fitted = _rgb(upright).resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(fitted, dtype=np.uint8)


def _rgb(image: Image.Image) -> Image.Image:
    """Convert any mode of Pillow to 8-bit RGB; 16-bit greys keep their upper byte, transparent pixels become white."""
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I;16") or image.mode == "I":
        return Image.fromarray((np.asarray(image).clip(0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        return Image.fromarray(np.asarray(image).clip(0, 255).astype(np.uint8)).convert("RGB")
    if "A" in image.mode or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _open(stream: BinaryIO, format_: Format, limits: DecodeLimits) -> Image.Image:
    decoders = _DECODERS.get(format_)
    if decoders is None:
        raise UnreadableError("not a photo of a format that culld reads")
    if format_ is Format.HEIF:
        _load_heif()
    if format_ is Format.JXL:
        _load_jxl()
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = None  # the check below has a clearer message, and applies to every format
    image = Image.open(stream, formats=decoders)
    if image.width * image.height > limits.pixels:
        raise UnreadableError(
            f"{image.width}x{image.height} pixels are more than limits.pixels allows ({limits.pixels})"
        )
    return image


def _load_heif() -> None:
    """Register the HEIF decoder at the first HEIF photo; most folders do not need it."""
    import pillow_heif  # noqa: PLC0415

    pillow_heif.register_heif_opener(thumbnails=False)


def _load_jxl() -> None:
    """Register the decoder of JPEG XL, an extra; raises `UnreadableError` if it is not installed."""
    try:
        import pillow_jxl  # noqa: F401, PLC0415 - importing it registers the decoder
    except ModuleNotFoundError as error:
        raise UnreadableError("JPEG XL can only be read with the extra `jxl` installed") from error


@contextlib.contextmanager
def _translate_decode_errors() -> Iterator[None]:
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
