"""The pictures that the page shows, made from the file of a photo in a worker process: it alone runs decoders here."""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
from PIL import Image, ImageCms, ImageOps

from culld.errors import PhotoError
from culld.files.open_beneath import open_regular
from culld.imaging.clip_reader import open_clip
from culld.imaging.decode import DecodedPhoto
from culld.imaging.edge_tiles import TILE
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.imaging.image_file import DecodeLimits, open_image, translate_decode_errors
from culld.imaging.raw import open_raw
from culld.imaging.sharpness import edge_widths, sharpness_of
from culld.records import Format

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from culld.records import RootedPath
    from culld.web.heat import HeatMaker
    from culld.web.regions import RegionsMaker

Box = tuple[int, int, int, int]
"""Left edge, top edge, width and height of a part of the upright photo, in pixels of the full size."""
QUALITY: Final = 82
"""The JPEG quality of thumbnails and previews."""
_SMOOTH_BELOW: Final = 1000  # px; for larger pictures a quicker filter is as good
_STILLS: Final = 6  # samples of a clip, two a second: many begin black
_BLACK: Final = 48  # the brightest level of a frame that shows nothing
_OVER, _UNDER = 254, 1  # grey levels from which a pixel of 8 bits is clipped
_SHARPEST, _SOFTEST = 1.0, 12.0  # px, width of edges: white and black of the sharpness map


@dataclass(slots=True)
class PictureWorker:
    """The handler in the worker process; a PhotoError is returned, not raised, because it is sent to the parent.

    It keeps the last photo that it decoded in full, because crops of one photo follow each other.
    """

    pixels: int
    file_size: int
    create_heat: Callable[[], HeatMaker] | None = None
    create_regions: Callable[[], RegionsMaker] | None = None
    _heat: HeatMaker | None = None
    _regions: RegionsMaker | None = None
    _last: tuple[tuple[int, ...], Image.Image] | None = None

    def sizes(self, place: RootedPath, lengths: tuple[int, ...]) -> list[bytes] | PhotoError:
        """Return the photo, upright, in several sizes as JPEG with its colour profile."""
        try:
            with open_regular(place) as stream:
                image = self._decoded(stream, place, max(lengths))
            return _in_sizes(image, lengths)
        except PhotoError as error:
            return error

    def crop(self, place: RootedPath, box: Box) -> list[bytes] | PhotoError:
        """Return a part of the upright photo in full resolution; parts outside of it are left out."""
        try:
            image = self._full(place)
            x, y, width, height = box
            left, top = min(x, image.width - 1), min(y, image.height - 1)
            right, bottom = min(x + width, image.width), min(y + height, image.height)
            return [_jpeg(image.crop((left, top, right, bottom)), image.info.get("icc_profile"))]
        except PhotoError as error:
            return error

    def map(self, place: RootedPath, head: str) -> list[bytes] | PhotoError:
        """Return the map of clipped pixels or of sharpness."""
        try:
            pixels = np.asarray(self._full(place))
            return [clipping_map(pixels) if head == "clipping" else sharpness_map(pixels)]
        except PhotoError as error:
            return error

    def explain(self, place: RootedPath, head: str) -> list[bytes] | PhotoError:
        """Return where the network sees a defect, and logit and probability as JSON."""
        if self.create_heat is None:
            return PhotoError("no network explains it")
        try:
            self._heat = self._heat or self.create_heat()
            found = self._heat.heat(place, head)
        except PhotoError as error:
            return error
        return [found.png, json.dumps({"logit": found.logit, "probability": found.probability}).encode()]

    def regions(self, place: RootedPath) -> list[bytes] | PhotoError:
        """Return the regions of the photo with a defect as JSON."""
        if self.create_regions is None:
            return PhotoError("no network segments it")
        try:
            self._regions = self._regions or self.create_regions()
            return [self._regions.regions(place)]
        except PhotoError as error:
            return error

    def _full(self, place: RootedPath) -> Image.Image:
        with open_regular(place) as stream:
            found = os.fstat(stream.fileno())
            key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            if self._last is None or self._last[0] != key:
                self._last = None
                self._last = (key, self._decoded(stream, place, None))
        return self._last[1]

    def _decoded(self, stream: BinaryIO, place: RootedPath, longest: int | None) -> Image.Image:
        """Return the photo upright as RGB, at the smallest scale that is at least `longest` (None: in full)."""
        format_ = recognise(stream.read(HEAD_BYTES), place.relative.name)
        stream.seek(0)
        limits = DecodeLimits(self.pixels)
        if format_ is Format.VIDEO:  # of which a few frames are decoded
            return _still(stream, limits, longest)
        if os.fstat(stream.fileno()).st_size > self.file_size:
            raise PhotoError("the file is larger than limits.file_size allows")
        if format_ is Format.RAW:
            with open_raw(stream, limits, whole=False) as raw:
                return Image.fromarray(raw.upright(longest))
        with translate_decode_errors(), open_image(stream, format_, limits) as image:
            profile = image.info.get("icc_profile")
            if format_ is Format.JPEG and longest is not None:
                scale = min(1.0, longest / max(image.size))
                image.draft("RGB", (round(image.width * scale), round(image.height * scale)))
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            return _with_profile(image, profile)


def _still(stream: BinaryIO, limits: DecodeLimits, longest: int | None) -> Image.Image:
    """Return the first frame of a clip that is not black, or its first one, from its first seconds."""
    first: NDArray[np.uint8] | None = None
    with open_clip(stream, limits) as clip:
        size = longest or max(clip.facts.width, clip.facts.height)
        for _, pixels in islice(clip.samples(size), _STILLS):
            first = pixels if first is None else first
            if pixels.max() > _BLACK:
                return Image.fromarray(pixels)
    if first is None:
        raise PhotoError("the clip has no frame")
    return Image.fromarray(first)


def _with_profile(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return an image as RGB; one of another colour model is converted by its profile, which then no longer holds."""
    if profile and image.mode == "CMYK":
        try:
            converted = ImageCms.profileToProfile(
                image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError):
            converted = None
        if converted is not None:
            converted.info = {}
            return converted
    found = _rgb(image)
    found.info = {"icc_profile": profile} if profile and profile[16:20] == b"RGB " else {}
    return found


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    return Image.fromarray(DecodedPhoto(image, image.size).upright())


def _in_sizes(image: Image.Image, lengths: tuple[int, ...]) -> list[bytes]:
    """Return the image in several sizes, each made from the next larger one."""
    profile, whole, made = image.info.get("icc_profile"), image.size, {}
    for longest in sorted(set(lengths), reverse=True):
        scale = min(1.0, longest / max(whole))
        size = (max(1, round(whole[0] * scale)), max(1, round(whole[1] * scale)))
        smooth = Image.Resampling.LANCZOS if longest < _SMOOTH_BELOW else Image.Resampling.HAMMING
        if size != image.size:
            image = image.resize(size, smooth, reducing_gap=1.5)
        made[longest] = _jpeg(image, profile)
    return [made[longest] for longest in lengths]


def _jpeg(image: Image.Image, profile: bytes | None) -> bytes:
    saved = io.BytesIO()
    image.save(saved, "JPEG", quality=QUALITY, icc_profile=profile)
    return saved.getvalue()


def clipping_map(pixels: NDArray[np.uint8]) -> bytes:
    """Return the clipped pixels of RGB (height, width, 3) as a PNG with a palette, its longer side at most 1024 px.

    0 is transparent; 1 to 7 is over-exposed, with bit 0 for red, 1 for green, 2 for blue; 8 is black in all channels. A
    pixel of the map has each bit that a pixel below it has.
    """
    over = sum((pixels[..., channel] >= _OVER).astype(np.uint8) << channel for channel in range(3))
    codes = np.where((pixels <= _UNDER).all(axis=2), np.uint8(8), over).astype(np.uint8)
    step = max(1, -(-max(codes.shape) // 1024))
    height, width = codes.shape[0] // step * step, codes.shape[1] // step * step
    blocks = codes[:height, :width].reshape(height // step, step, width // step, step)
    joined = np.bitwise_or.reduce(np.bitwise_or.reduce(blocks, axis=3), axis=1)
    image = Image.fromarray(np.where(joined & 7, joined & 7, joined).astype(np.uint8), "P")
    image.putpalette([0, 0, 0, *(value for code in range(1, 8) for value in _colour(code)), 86, 180, 233])
    return _png(image, transparency=0)


def _colour(code: int) -> tuple[int, int, int]:
    red, green, blue = (255 if code >> channel & 1 else 0 for channel in range(3))
    return red, green, blue


def sharpness_map(pixels: NDArray[np.uint8]) -> bytes:
    """Return how sharp the tiles of RGB pixels (height, width, 3) are as a grey PNG, one pixel a tile.

    0 stands for a tile without edges; 1 to 255 for edges of 12 to 1 px, on a logarithmic scale.
    """
    chosen = np.ones((pixels.shape[0] // TILE, pixels.shape[1] // TILE), np.bool_)
    if not chosen.size:
        return _png(Image.new("L", (1, 1)))
    widths = edge_widths(sharpness_of(pixels, chosen).tiles)
    share = np.log(_SOFTEST / widths.clip(_SHARPEST, _SOFTEST)) / np.log(_SOFTEST / _SHARPEST)
    grey = np.where(np.isfinite(widths), 1 + np.rint(254 * np.nan_to_num(share)), 0)
    return _png(Image.fromarray(grey.astype(np.uint8)))


def _png(image: Image.Image, **options: int) -> bytes:
    saved = io.BytesIO()
    image.save(saved, "PNG", optimize=False, **options)
    return saved.getvalue()
