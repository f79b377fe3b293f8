"""RAW files; the only module that imports rawpy, which is an extra: without it RAW files are passed over.

A RAW is judged by the preview that the camera put into it, which costs a tenth of developing it. The camera's tone
curve clips highlights that the sensor has kept, so exposure is looked at in the sensor's own light as well.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from culld.imaging.decode import (
    DecodeLimits,
    Region,
    UnreadableError,
    decode,
    decode_upright,
    frame_of,
    has_orientation,
    shrunk,
    size_of,
)
from culld.records import Format
from culld.records.frame import WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_TURNS = {3: 2, 5: 1, 6: 3}
"""LibRaw's `flip` to quarter turns against the clock."""


@dataclass(frozen=True, slots=True)
class Raw:
    """An open RAW file."""

    file: Any
    limits: DecodeLimits

    def preview(self) -> bytes | None:
        """The JPEG that the camera made, if there is one."""
        import rawpy  # noqa: PLC0415

        try:
            found = self.file.extract_thumb()
        except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
            return None
        return bytes(found.data) if found.format == rawpy.ThumbFormat.JPEG else None

    def preview_rgb(self) -> NDArray[np.uint8]:
        """The preview in the network's frame; what the sensor saw where there is none, or only a small one."""
        preview = self._useful_preview()
        return self.linear_rgb() if preview is None else decode(io.BytesIO(preview), Format.JPEG, self.limits)

    def linear_rgb(self) -> NDArray[np.uint8]:
        """What the sensor saw, without any brightening, in the network's frame."""
        return frame_of(self._developed())

    def upright(self, longest: int | None = None) -> NDArray[np.uint8]:
        """The photo as people see it, uint8 RGB (height, width, 3), by its preview; see `decode_upright`.

        Where there is no preview, or only a small one, it is what the sensor saw, at half its size.
        """
        preview = self._useful_preview()
        if preview is None:
            return shrunk(self._developed(), longest)
        pixels = decode_upright(io.BytesIO(preview), Format.JPEG, self.limits, longest)
        turned = has_orientation(io.BytesIO(preview), Format.JPEG, self.limits)
        return pixels if turned else np.ascontiguousarray(np.rot90(pixels, _TURNS.get(self.file.sizes.flip, 0)))

    def region(self, region: Region) -> NDArray[np.uint8]:
        """A part of the photo in the full resolution of `upright`."""
        return region.of(self.upright())

    def _developed(self) -> NDArray[np.uint8]:
        """What the sensor saw, upright, at half size, without any brightening."""
        pixels: NDArray[np.uint8] = self.file.postprocess(
            half_size=True, use_camera_wb=True, no_auto_bright=True, output_bps=8
        )
        return pixels

    def _useful_preview(self) -> bytes | None:
        preview = self.preview()
        return None if preview is None or self._width_of(preview) < WIDTH else preview

    def _width_of(self, preview: bytes) -> int:
        return max(size_of(io.BytesIO(preview), Format.JPEG, self.limits))


@contextlib.contextmanager
def open_raw(stream: BinaryIO, limits: DecodeLimits, *, whole: bool = True) -> Iterator[Raw]:
    """A RAW file; raises `UnreadableError` if it is damaged or too large, or, with `whole`, if it is cut short."""
    import rawpy  # noqa: PLC0415

    try:
        with rawpy.imread(stream) as file:
            pixels = file.sizes.raw_width * file.sizes.raw_height
            if pixels > limits.pixels:
                raise UnreadableError(f"{pixels} pixels are more than limits.pixels allows ({limits.pixels})")
            if whole:
                file.raw_image_visible  # noqa: B018 - reads the sensor data: a file that is cut short fails here
            yield Raw(file, limits)
    except rawpy.LibRawError as error:
        reason = error.args[0] if error.args else error
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise UnreadableError(f"damaged or incomplete, or a RAW of an unknown camera: {text}") from error
