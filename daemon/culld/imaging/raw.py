"""RAW files; the only module that imports rawpy, which is an extra: without it RAW files are passed over.

A RAW is judged by the preview that the camera put into it, which costs a tenth of developing it. The camera's tone
curve clips highlights that the sensor has kept, so exposure is looked at in the sensor's own light as well.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from culld.imaging.decode import DecodeLimits, UnreadableError, decode, frame_of, size_of
from culld.records import Format
from culld.records.frame import WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray


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
        preview = self.preview()
        if preview is None or self._width_of(preview) < WIDTH:
            return self.linear_rgb()
        return decode(io.BytesIO(preview), Format.JPEG, self.limits)

    def linear_rgb(self) -> NDArray[np.uint8]:
        """What the sensor saw, at half size, without any brightening, in the network's frame."""
        return frame_of(self.file.postprocess(half_size=True, use_camera_wb=True, no_auto_bright=True, output_bps=8))

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
