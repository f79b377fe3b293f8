"""Decode a file to pixels: the frame of a network, the upright photo, or a region of it.

Training and inference share `to_network_frame`, so a network gets frames that were made as those of its training.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image, ImageOps

from culld.imaging.image_file import DecodeLimits, open_image, translate_decode_errors
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


_FAST = 1.0  # reducing gap: whole blocks of pixels are averaged first


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

    Returns uint8 RGB of shape (height, width, 3), see `to_network_frame`. Raises `UnreadableError`.
    """
    with decode_once(stream, format_, limits, size) as decoded:
        return decoded.frame(size)


@dataclass(frozen=True, slots=True)
class DecodedPhoto:
    """A photo that is decoded once, perhaps at a reduced scale, for pictures of several sizes.

    `image` is upright by its EXIF orientation. `full_size` is the (width, height) of the photo before that.
    `quarter_turns` turn it upright, counter-clockwise, where the file has no EXIF orientation.
    """

    image: Image.Image
    full_size: tuple[int, int]
    quarter_turns: int = 0

    def frame(self, size: tuple[int, int] = (WIDTH, HEIGHT)) -> NDArray[np.uint8]:
        """Return the network frame, see `to_network_frame`."""
        return to_network_frame(self.image, size)

    def upright(self, longest: int | None = None) -> NDArray[np.uint8]:
        """Return the photo upright, its longer side reduced to `longest` pixels: uint8 RGB (height, width, 3).

        It is reduced fast rather than smoothly. Without `longest` it has the scale in which it was decoded.
        """
        return self._turned(_shrunk(self._image(), longest, _FAST))

    def region(self, region: Region) -> NDArray[np.uint8]:
        """Return a region of the upright photo in the scale in which it was decoded: uint8 RGB (height, width, 3)."""
        if self.quarter_turns:
            return region.of(self.upright())
        image = self._image()
        left, top = math.floor(region.x * image.width), math.floor(region.y * image.height)
        right = math.ceil((region.x + region.width) * image.width)
        bottom = math.ceil((region.y + region.height) * image.height)
        return np.asarray(image.crop((left, top, right, bottom)), dtype=np.uint8)

    @property
    def upright_size(self) -> tuple[int, int]:
        """The (width, height) of the upright photo in the scale in which it was decoded."""
        width, height = self.image.size
        return (height, width) if self.quarter_turns % 2 else (width, height)

    def _image(self) -> Image.Image:
        return _rgb(self.image)

    def _turned(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(np.rot90(pixels, self.quarter_turns)) if self.quarter_turns else pixels

    def upright_frame(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the network frame of this photo with the top of the photo at its top; a portrait has lain in it."""
        return np.rot90(frame, self.frame_turns)

    @property
    def frame_turns(self) -> int:
        """The quarter turns, counter-clockwise, that turn the network frame as the photo stands upright."""
        width, height = self.image.size
        return self.quarter_turns - 1 if height > width else self.quarter_turns

    @property
    def reduction(self) -> float:
        """The longer side of the photo over that of the image that was decoded, at least 1."""
        return max(self.full_size) / max(self.image.size)


@contextlib.contextmanager
def decode_once(
    stream: BinaryIO,
    format_: Format,
    limits: DecodeLimits,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    quarter_turns: int = 0,
) -> Iterator[DecodedPhoto]:
    """Decode a photo for a network frame of this (width, height); raises `UnreadableError`.

    JPEG is decoded at the smallest DCT scale that is `OVERSAMPLING` times the frame or more.
    """
    with translate_decode_errors(), open_image(stream, format_, limits) as image:
        full_size = image.size
        if format_ is Format.JPEG:
            long, short = (round(OVERSAMPLING * side) for side in size)
            image.draft("RGB", (long, short) if image.width >= image.height else (short, long))
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        yield DecodedPhoto(image, full_size, quarter_turns)


def decode_upright(
    stream: BinaryIO, format_: Format, limits: DecodeLimits, longest: int | None = None
) -> NDArray[np.uint8]:
    """Decode a photo upright by its EXIF orientation, in its own aspect ratio.

    Its longer side is reduced to `longest` pixels; without `longest` the photo keeps its full resolution.
    Returns uint8 RGB (height, width, 3). Raises `UnreadableError`.
    """
    stream.seek(0)
    with translate_decode_errors(), open_image(stream, format_, limits) as image:
        if format_ is Format.JPEG and longest is not None:
            scale = OVERSAMPLING * longest / max(image.size)
            image.draft("RGB", (round(image.width * scale), round(image.height * scale)))
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return _shrunk(_rgb(image), longest)


def decode_luma(stream: BinaryIO, format_: Format, limits: DecodeLimits) -> NDArray[np.uint8]:
    """Decode the luminance of an upright photo in full resolution: uint8 (height, width); raises `UnreadableError`.

    Of a JPEG no colour is decoded.
    """
    with translate_decode_errors(), open_image(stream, format_, limits) as image:
        if format_ is Format.JPEG:
            image.draft("L", image.size)
        image.load()
        return np.asarray(ImageOps.exif_transpose(image if image.mode == "L" else _rgb(image).convert("L")))


def shrunk(pixels: NDArray[np.uint8], longest: int | None, reducing_gap: float = 3.0) -> NDArray[np.uint8]:
    """Return uint8 RGB pixels (height, width, 3) with the longer side reduced to `longest` pixels.

    A smaller `reducing_gap` (at least 1, see `Image.thumbnail`) is faster and less smooth.
    """
    return _shrunk(Image.fromarray(pixels), longest, reducing_gap)


def _shrunk(image: Image.Image, longest: int | None, reducing_gap: float = 3.0) -> NDArray[np.uint8]:
    if longest is None or longest >= max(image.size):
        return np.asarray(image, dtype=np.uint8)
    scale = longest / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR, reducing_gap=reducing_gap), dtype=np.uint8)


def decode_region(stream: BinaryIO, format_: Format, limits: DecodeLimits, region: Region) -> NDArray[np.uint8]:
    """Decode a region of a photo in full resolution: uint8 RGB (height, width, 3); raises `UnreadableError`."""
    return region.of(decode_upright(stream, format_, limits))


def frame_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return uint8 RGB pixels (height, width, 3) as a frame of the defect network, see `to_network_frame`."""
    return to_network_frame(Image.fromarray(pixels))


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
