"""The pixels of a decoded frame of a clip: the upright picture, and what movement is measured on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_SMALL: Final = 160
_LINES: Final = 64
_HD: Final = 720


def upright(frame: Any, longest: int | None, rotation: int) -> Pixels:
    """Return a frame as upright uint8 RGB (height, width, 3), its longer side at most `longest` px."""
    width, height = _fitted(frame, longest)
    rgb = frame.reformat(
        width=width, height=height, format="rgb24", src_colorspace=_colour_space(frame), interpolation="AREA"
    )
    pixels: Pixels = rgb.to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, -rotation // 90)) if rotation else pixels


def _colour_space(frame: Any) -> str | None:
    """Return the colour matrix of a frame that has none: HD is BT.709, smaller frames are BT.601 (ITU-R practice)."""
    if int(frame.colorspace) != 2:  # AVCOL_SPC_UNSPECIFIED
        return None
    return "ITU709" if frame.height >= _HD else "ITU601"


def _fitted(frame: Any, longest: int | None) -> tuple[int, int]:
    scale = 1.0 if longest is None else min(1.0, longest / max(frame.width, frame.height))
    return max(1, round(frame.width * scale)), max(1, round(frame.height * scale))


def small_luma(frame: Any) -> Pixels:
    """Return the luma, uint8 (height, width), its longer side 160 px; it is not turned upright."""
    width, height = _fitted(frame, _SMALL)
    small: Pixels = frame.reformat(width=width, height=height, format="gray", interpolation="AREA").to_ndarray()
    return small


def luma_lines(frame: Any) -> Pixels:
    """Return at most 64 rows of the first plane, uint8 (rows, columns); of 10 bits and more the upper 8."""
    if frame.format.name.startswith(("yuv", "nv", "gray", "p0")) and len(frame.planes):
        plane = frame.planes[0]
        component = frame.format.components[0]
        wide = component.bits > 8
        rows = np.frombuffer(plane, np.uint16 if wide else np.uint8)
        rows = rows.reshape(-1, plane.line_size // rows.itemsize)[: frame.height, : frame.width]
        chosen = rows[:: max(1, math.ceil(frame.height / _LINES))]
        return np.array(chosen >> (component.bits - 8) if wide else chosen, np.uint8)
    luma: Pixels = frame.reformat(format="gray").to_ndarray()
    return luma[:: max(1, math.ceil(frame.height / _LINES))].copy()
