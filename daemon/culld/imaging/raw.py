"""Decode RAW files; the only module that imports rawpy, which is an extra: without it RAW files are ignored.

A RAW is scored by its embedded preview, which takes a tenth of the time of developing it. The tone curve of the camera
clips highlights that the sensor data still hold, so over-exposure is checked in the developed sensor data as well.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import Image

from culld.imaging.decode import DecodedPhoto, Region, decode_once, decode_upright, frame_of, shrunk
from culld.imaging.image_file import DecodeLimits, UnreadableError, has_orientation, size_of
from culld.imaging.tone_curve import to_srgb
from culld.records import Format
from culld.records.frame import WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from culld.imaging.tone_curve import ToneCurve

_QUARTER_TURNS = {3: 2, 5: 1, 6: 3}
"""The number of counter-clockwise quarter turns for a `flip` of LibRaw."""
_LIGHTS = 65536
"""The number of levels of linear light that LibRaw gives."""
_ROWS = 64
"""Rows that are corrected at a time: 64 of 6,000 px need 8 MB."""


@dataclass(frozen=True, slots=True)
class Raw:
    """An open RAW file; `full_size` is the (width, height) of its sensor data in pixels, before they are turned.

    `file.sizes` has half of that once the data were developed at half size.
    """

    file: Any
    limits: DecodeLimits
    full_size: tuple[int, int]

    def preview(self) -> bytes | None:
        """Return the embedded JPEG preview; None if there is none, or it is not a JPEG."""
        import rawpy  # noqa: PLC0415

        try:
            preview = self.file.extract_thumb()
        except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
            return None
        return bytes(preview.data) if preview.format == rawpy.ThumbFormat.JPEG else None

    @contextlib.contextmanager
    def decode_once(self) -> Iterator[DecodedPhoto]:
        """Decode the preview; the developed sensor data if there is none or it is smaller than the network frame."""
        preview = self._large_preview()
        if preview is None:
            image = Image.fromarray(self._developed())
            yield DecodedPhoto(image, image.size)
            return
        has_own = has_orientation(io.BytesIO(preview), Format.JPEG, self.limits)
        turns = 0 if has_own else _QUARTER_TURNS.get(self.file.sizes.flip, 0)
        with decode_once(io.BytesIO(preview), Format.JPEG, self.limits, quarter_turns=turns) as decoded:
            yield decoded

    def linear_rgb(self) -> NDArray[np.uint8]:
        """Return the developed sensor data as a network frame, without automatic brightening."""
        return frame_of(self._developed())

    def upright(self, longest: int | None = None) -> NDArray[np.uint8]:
        """Return the upright preview, uint8 RGB (height, width, 3); see `decode_upright`.

        Without a preview, or with one smaller than the network frame, the developed sensor data at half size.
        """
        preview = self._large_preview()
        if preview is None:
            return shrunk(self._developed(), longest)
        pixels = decode_upright(io.BytesIO(preview), Format.JPEG, self.limits, longest)
        if has_orientation(io.BytesIO(preview), Format.JPEG, self.limits):
            return pixels
        return np.ascontiguousarray(np.rot90(pixels, _QUARTER_TURNS.get(self.file.sizes.flip, 0)))

    def luma(self) -> NDArray[np.uint8]:
        """Return the luminance of `upright` in full resolution: uint8 (height, width)."""
        return np.asarray(Image.fromarray(self.upright()).convert("L"))

    def region(self, region: Region) -> NDArray[np.uint8]:
        """Return a region of the photo in the full resolution of `upright`."""
        return region.of(self.upright())

    def _developed(self) -> NDArray[np.uint8]:
        """Return the developed sensor data, upright, at half size, without automatic brightening."""
        pixels: NDArray[np.uint8] = self.file.postprocess(
            half_size=True, use_camera_wb=True, no_auto_bright=True, output_bps=8
        )
        return pixels

    def _large_preview(self) -> bytes | None:
        preview = self.preview()
        return None if preview is None or self._longer_side_of(preview) < WIDTH else preview

    def _longer_side_of(self, preview: bytes) -> int:
        return max(size_of(io.BytesIO(preview), Format.JPEG, self.limits))


@contextlib.contextmanager
def open_raw(stream: BinaryIO, limits: DecodeLimits, *, whole: bool = True) -> Iterator[Raw]:
    """Open a RAW file; raises `UnreadableError` if it is damaged or too large, or, with `whole`, truncated."""
    import rawpy  # noqa: PLC0415

    try:
        with rawpy.imread(stream) as file:
            full_size = (file.sizes.width, file.sizes.height)
            pixels = file.sizes.raw_width * file.sizes.raw_height
            if pixels > limits.pixels:
                raise UnreadableError(f"{pixels} pixels are more than limits.pixels allows ({limits.pixels})")
            if whole:
                file.raw_image_visible  # noqa: B018 - reads the sensor data, which raises for a truncated file
            yield Raw(file, limits, full_size)
    except rawpy.LibRawError as error:
        reason = error.args[0] if error.args else error
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise UnreadableError(f"damaged or incomplete, or a RAW file of an unsupported camera: {text}") from error


def develop_corrected(raw: Raw, curve: ToneCurve) -> NDArray[np.uint8]:
    """Return the sensor data developed under a tone curve: uint8 RGB (height, width, 3), upright, in full resolution.

    LibRaw gives linear light in 16 bits, white-balanced as by the camera, without automatic brightening; the curve is
    applied before it is reduced to 8 bits, so that lifted tones keep their steps. All channels of a pixel are scaled
    alike, as by `tone_curve.apply`. A curve without stops gives the plain development in sRGB. `open_raw` turns
    the error of damaged data into `UnreadableError`.
    """
    linear: NDArray[np.uint16] = raw.file.postprocess(
        use_camera_wb=True, no_auto_bright=True, output_bps=16, gamma=(1, 1)
    )
    light = np.arange(_LIGHTS) / (_LIGHTS - 1)
    factor = np.divide(curve.of_light(light), light, out=np.full(_LIGHTS, 2.0**curve.stops), where=light > 0)
    encoded = np.rint(255 * to_srgb(light)).astype(np.uint8)
    found = np.empty(linear.shape, np.uint8)
    for top in range(0, len(linear), _ROWS):
        block = linear[top : top + _ROWS]
        scaled = block * factor.astype(np.float32)[_tone(block, curve)][..., None]
        found[top : top + _ROWS] = encoded[np.minimum(scaled, _LIGHTS - 1).astype(np.uint16)]
    return found


def _tone(linear: NDArray[np.uint16], curve: ToneCurve) -> NDArray[np.uint16]:
    """Return the light that a curve goes by, uint16 (rows, columns): the brightest channel for a lift, or the luma."""
    if curve.stops > 0:
        return np.maximum(np.maximum(linear[..., 0], linear[..., 1]), linear[..., 2])
    wide = linear.astype(np.uint32)
    return ((54 * wide[..., 0] + 183 * wide[..., 1] + 19 * wide[..., 2]) >> 8).astype(np.uint16)
