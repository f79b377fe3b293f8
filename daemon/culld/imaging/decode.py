"""From a file to pixels: the frame for a network, the photo as people see it, or a region of it.

Training and serving share `to_network_frame`, so a network is asked about the same kind of picture that it learned
from.
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
"""With less, the filters of the DCT show: a probability of a camera's photo moved by 0.014, with this by 0.002 at most,
for 5 ms more of 45 (6 megapixels, `make bench`).
"""

_DECODERS = {
    Format.JPEG: ("JPEG", "MPO"),  # phones store a gain map as a second picture; the first one is the photo
    Format.PNG: ("PNG",),
    Format.WEBP: ("WEBP",),
    Format.TIFF: ("TIFF",),
    Format.HEIF: ("HEIF",),
    Format.AVIF: ("AVIF",),
    Format.JXL: ("JXL",),
}


class UnreadableError(PhotoError):
    """The bytes are no complete picture, or one that culld does not take."""


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """The largest picture that is taken, in pixels."""

    pixels: int = 250_000_000


@dataclass(frozen=True, slots=True)
class Region:
    """A part of an upright photo, in shares 0..1 of its width and height; raises ValueError if it is not inside."""

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        if not (0 <= self.x < self.x + self.width <= 1 and 0 <= self.y < self.y + self.height <= 1):
            raise ValueError(f"{self} is not inside the photo")

    def of(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a copy of this part of an upright photo (height, width, 3): every pixel that it touches."""
        height, width, _ = pixels.shape
        top, bottom = math.floor(self.y * height), math.ceil((self.y + self.height) * height)
        left, right = math.floor(self.x * width), math.ceil((self.x + self.width) * width)
        return pixels[top:bottom, left:right].copy()


def decode(
    stream: BinaryIO, format_: Format, limits: DecodeLimits, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> NDArray[np.uint8]:
    """Decode a whole photo into a frame of this width and height, such as a network takes.

    JPEG is decoded at the smallest DCT scale that covers the frame `OVERSAMPLING` times. Returns uint8 RGB of shape
    (height, width, 3), upright photos laid on their side. Raises `UnreadableError`.
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
    """Decode a whole photo as people see it: upright by its EXIF, in its own proportions.

    Its longer side becomes `longest` pixels if it has more; without `longest` the photo keeps its full resolution.
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
    """Return a picture (height, width, 3) whose longer side is `longest` pixels if it has more."""
    return _shrunk(Image.fromarray(pixels), longest)


def _shrunk(image: Image.Image, longest: int | None) -> NDArray[np.uint8]:
    if longest is not None:
        image.thumbnail((longest, longest), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(image, dtype=np.uint8)


def decode_region(stream: BinaryIO, format_: Format, limits: DecodeLimits, region: Region) -> NDArray[np.uint8]:
    """Decode a part of a photo in full resolution: uint8 RGB (height, width, 3); raises `UnreadableError`."""
    return region.of(decode_upright(stream, format_, limits))


def size_of(stream: BinaryIO, format_: Format, limits: DecodeLimits) -> tuple[int, int]:
    """Width and height of a picture, in pixels; raises `UnreadableError`."""
    with _translate_decode_errors(), _open(stream, format_, limits) as image:
        return image.size


def frame_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring a picture (height, width, 3) into the network's frame."""
    return to_network_frame(Image.fromarray(pixels))


def has_orientation(stream: BinaryIO, format_: Format, limits: DecodeLimits) -> bool:
    """Whether a photo says in its EXIF which side is up; raises `UnreadableError`."""
    with _translate_decode_errors(), _open(stream, format_, limits) as image:
        return ExifTags.Base.Orientation in image.getexif()


def embedded_exif(stream: BinaryIO, format_: Format, limits: DecodeLimits) -> bytes:
    """The EXIF block of a photo as Pillow finds it, its `Exif` mark first; empty if there is none."""
    with _translate_decode_errors(), _open(stream, format_, limits) as image:
        block = image.info.get("exif", b"")
        return block if isinstance(block, bytes) else b""


def to_network_frame(image: Image.Image, size: tuple[int, int] = (WIDTH, HEIGHT)) -> NDArray[np.uint8]:
    """Bring a picture into a frame of this width and height: upright by EXIF, then laid on its long side, RGB.

    Laying portraits on their side keeps their proportions; blur and exposure do not depend on which way is up.
    """
    upright = ImageOps.exif_transpose(image)
    if upright.height > upright.width:
        upright = upright.transpose(Image.Transpose.ROTATE_90)
    fitted = _rgb(upright).resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(fitted, dtype=np.uint8)


def _rgb(image: Image.Image) -> Image.Image:
    """Turn any of Pillow's modes into 8-bit RGB; deep greys keep their upper byte, transparency shows white."""
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
        raise UnreadableError("not a picture of a format that culld reads")
    if format_ is Format.HEIF:
        _load_heif()
    if format_ is Format.JXL:
        _load_jxl()
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = None  # our own limit below gives the clearer message, and holds for every format
    image = Image.open(stream, formats=decoders)
    if image.width * image.height > limits.pixels:
        raise UnreadableError(
            f"{image.width}x{image.height} pixels are more than limits.pixels allows ({limits.pixels})"
        )
    return image


def _load_heif() -> None:
    """Register the HEIF decoder when the first such photo comes; most folders never need it."""
    import pillow_heif  # noqa: PLC0415

    pillow_heif.register_heif_opener(thumbnails=False)


def _load_jxl() -> None:
    """Register the decoder of JPEG XL, an extra; raises `UnreadableError` where it is not installed."""
    try:
        import pillow_jxl  # noqa: F401, PLC0415 - importing it registers the decoder
    except ModuleNotFoundError as error:
        raise UnreadableError("JPEG XL is read with the extra `jxl` only") from error


@contextlib.contextmanager
def _translate_decode_errors() -> Iterator[None]:
    """Turn whatever a decoder raises about bad bytes into `UnreadableError`, with one clear sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata; it is the pixels that count here
            yield
    except UnreadableError:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableError("damaged: the picture's header cannot be read") from error
    except MemoryError as error:
        raise UnreadableError("too large to decode within limits.memory") from error
    except _DAMAGE as error:
        raise UnreadableError(f"damaged or incomplete: {error}") from error


# What Pillow's decoders were seen to raise on damaged files, besides OSError.
_DAMAGE: tuple[type[Exception], ...] = (
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
