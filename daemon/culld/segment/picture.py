"""The picture of a segmentation: a photo, a little darker, under the contours of its regions, with a legend."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from culld.records.regions import RegionClass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culld.segment.outline import Ring

    Colour = tuple[int, int, int]

NAMES: Final = {
    RegionClass.FINE: "fine",
    RegionClass.DEFOCUS: "out of focus",
    RegionClass.MOTION: "motion blur",
    RegionClass.SHADOW: "crushed shadow",
    RegionClass.HIGHLIGHT: "clipped highlight",
    RegionClass.BLOCKS: "blocks or bands",
    RegionClass.NOISE: "noise",
    RegionClass.FLAT: "no texture",
}
"""What the classes are called."""
COLOURS: Final[Mapping[RegionClass, Colour]] = {
    RegionClass.DEFOCUS: (230, 159, 0),
    RegionClass.MOTION: (86, 180, 233),
    RegionClass.SHADOW: (0, 114, 178),
    RegionClass.HIGHLIGHT: (240, 228, 66),
    RegionClass.BLOCKS: (204, 121, 167),
    RegionClass.NOISE: (213, 94, 0),
    RegionClass.FLAT: (170, 170, 170),
}
"""The palette of Okabe and Ito (2008), which people with every kind of colour vision can tell apart."""
SHOWN_FROM: Final = 0.005
"""The share of the frame from which on a class is in the legend and in the sentence."""
_DIM: Final = 1.5
_TEXT, _LINE_HEIGHT, _MARGIN, _SWATCH = 20, 30, 10, 16
_EDGE: Final = (0, 0, 0)


def picture(
    pixels: NDArray[np.uint8], outlines: Mapping[RegionClass, Sequence[Ring]], shares: Mapping[RegionClass, float]
) -> bytes:
    """Return a photo, uint8 RGB (height, width, 3), with the outlines of its masks, in its px, as PNG.

    Only classes that are in the legend are drawn, the smallest last: no contour is without its name.
    """
    photo = Image.fromarray((pixels / _DIM).astype(np.uint8))
    pen = ImageDraw.Draw(photo)
    for kind, _ in present(shares):
        for ring in outlines.get(kind, ()):
            points = [(float(x), float(y)) for x, y in (*ring.points, ring.points[0])]
            pen.line(points, _EDGE, 5, "curve")
            pen.line(points, COLOURS[kind], 3, "curve")
    stream = io.BytesIO()
    _with_legend(photo, shares).save(stream, "PNG")
    return stream.getvalue()


def sentence(shares: Mapping[RegionClass, float]) -> str:
    """Return the classes that are there, the largest first, with their share of the frame."""
    parts = [entry(kind, share) for kind, share in present(shares)]
    return ", ".join(parts) or "nothing is wrong with any region"


def entry(kind: RegionClass, share: float) -> str:
    """Return the line of a class in the legend, such as `out of focus 31 %`."""
    return f"{NAMES[kind]} {_percent(share)}"


def present(shares: Mapping[RegionClass, float]) -> list[tuple[RegionClass, float]]:
    """Return the classes but `fine` that cover at least `SHOWN_FROM` of the frame, the largest first."""
    found = [(kind, share) for kind, share in shares.items() if kind in COLOURS and share >= SHOWN_FROM]
    return sorted(found, key=lambda each: -each[1])


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %") if share >= 0.01 else "under 1 %"


def _with_legend(photo: Image.Image, shares: Mapping[RegionClass, float]) -> Image.Image:
    """Return the photo below a line of coloured squares with names and shares; it wraps."""
    font = ImageFont.load_default(_TEXT)
    entries = [(COLOURS[kind], entry(kind, share)) for kind, share in present(shares)]
    entries = entries or [((255, 255, 255), sentence(shares))]
    places, x, row = [], _MARGIN, 0
    for colour, text in entries:
        wide = _SWATCH + 8 + round(font.getlength(text)) + 24
        if x > _MARGIN and x + wide > photo.width:
            x, row = _MARGIN, row + 1
        places.append((x, _MARGIN + row * _LINE_HEIGHT, colour, text))
        x += wide
    band = 2 * _MARGIN + (row + 1) * _LINE_HEIGHT
    whole = Image.new("RGB", (photo.width, photo.height + band), "black")
    whole.paste(photo, (0, band))
    pen = ImageDraw.Draw(whole)
    for left, top, colour, text in places:
        pen.rectangle((left, top + 5, left + _SWATCH, top + 5 + _SWATCH), colour)
        pen.text((left + _SWATCH + 8, top), text, "white", font)
    return whole
