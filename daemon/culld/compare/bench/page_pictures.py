"""The pictures of the page as data: URIs: photos as JPEG, heat maps and outlines as PNG of few colours."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from culld.imaging.encode import jpeg_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

_QUALITY: Final = 80
_LEVELS: Final = 32
_STOPS: Final = np.array([[255, 214, 0], [255, 128, 0], [213, 30, 0], [122, 0, 48]], np.float64)
"""The colours of probabilities from 0.1 to 1, darker and darker, so that they differ without hue as well."""
_FAINTEST: Final = 0.1
_OPACITY: Final = 190
_MAP_SCALE: Final = 2  # a map is shown at half of its size: it is smooth


def photo_uri(pixels: NDArray[np.uint8]) -> str:
    """Return a photo, uint8 RGB (height, width, 3), as a data: URI."""
    return _uri("image/jpeg", jpeg_bytes(pixels, _QUALITY))


def heat_uri(probability: NDArray[np.uint8]) -> str:
    """Return a map of probabilities, 0..255 (height, width), as a data: URI; transparent where nothing is found."""
    small = Image.fromarray(probability).reduce(_MAP_SCALE)
    levels = np.asarray(small).astype(np.uint16) * (_LEVELS - 1) // 255
    picture = Image.fromarray(levels.astype(np.uint8), "P")
    colours, opacity = _ramp()
    picture.putpalette(colours.astype(np.uint8).tobytes())
    return _png(picture, opacity.astype(np.uint8).tobytes())


def outline_uri(mask: NDArray[np.bool_]) -> str:
    """Return the border of a mask (height, width) as a data: URI: a white line inside of a black one."""
    shrunk = _eroded(_eroded(mask))
    grown = ~_eroded(_eroded(~mask))
    cells = np.zeros(mask.shape, np.uint8)
    cells[grown & ~mask], cells[mask & ~shrunk] = 1, 2
    picture = Image.fromarray(cells, "P")
    picture.putpalette(bytes((0, 0, 0, 0, 0, 0, 255, 255, 255)))
    return _png(picture, bytes((0, 255, 255)))


def _ramp() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the colour (levels, 3) and the opacity (levels) of each level, 0..255."""
    share = np.clip((np.linspace(0, 1, _LEVELS) - _FAINTEST) / (1 - _FAINTEST), 0, 1)
    places = np.linspace(0, 1, len(_STOPS))
    colours = np.stack([np.interp(share, places, _STOPS[:, channel]) for channel in range(3)], axis=1)
    return np.round(colours), np.round(_OPACITY * share**0.35)


def _eroded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask without the pixels that touch another value at one of their four sides."""
    found = mask.copy()
    found[1:] &= mask[:-1]
    found[:-1] &= mask[1:]
    found[:, 1:] &= mask[:, :-1]
    found[:, :-1] &= mask[:, 1:]
    return found


def _png(picture: Image.Image, opacity: bytes) -> str:
    saved = io.BytesIO()
    picture.save(saved, "PNG", transparency=opacity, optimize=True)
    return _uri("image/png", saved.getvalue())


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
