"""Pictures of heat maps: a grey PNG of the cells, and a photo under its heat with contour and caption."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LONGEST: Final = 1280
"""The longer side in pixels of a picture."""
_OPACITY: Final = 0.45
_COLOUR: Final = np.array([[255, 214, 0], [213, 30, 0]], np.float32)  # of a strength near 0, and of 1
_LINE: Final = (255, 255, 255)
_EDGE: Final = (0, 0, 0)
_TEXT: Final = 22
_LINE_HEIGHT: Final = 30
_MARGIN: Final = 10
_GAP: Final = 8


def grey_png(cells: NDArray[np.uint8]) -> bytes:
    """Return uint8 values (height, width) as an 8-bit grey PNG."""
    return _png(Image.fromarray(cells))


def overlay(
    pixels: NDArray[np.uint8], strength: NDArray[np.float32], place: NDArray[np.bool_], caption: Sequence[str]
) -> bytes:
    """Return a photo, uint8 RGB (height, width, 3), under its heat as PNG.

    `strength` (rows, columns) is 0..1 and decides colour and opacity of each cell; `place` marks the cells inside the
    contour. `caption` is printed above the photo, one line each.
    """
    height, width, _ = pixels.shape
    soft = np.asarray(Image.fromarray(strength).resize((width, height), Image.Resampling.BILINEAR))
    share = np.clip(soft, 0, 1)[..., None]
    colour = _COLOUR[0] * (1 - share) + _COLOUR[1] * share
    opacity = np.float32(_OPACITY) * np.sqrt(share) * share**0.25
    mixed = pixels * (1 - opacity) + colour * opacity
    photo = Image.fromarray(np.round(np.clip(mixed, 0, 255)).astype(np.uint8))
    _draw_contour(photo, place)
    return _png(_captioned(photo, caption))


def boxed(pixels: NDArray[np.uint8], box: tuple[float, float, float, float], caption: Sequence[str]) -> bytes:
    """Return a photo with a rectangle as PNG, captioned as `overlay`; `box` is x, y, width, height in fractions."""
    photo = Image.fromarray(pixels)
    width, height = photo.size
    left, top = box[0] * width, box[1] * height
    right, bottom = left + box[2] * width, top + box[3] * height
    pen = ImageDraw.Draw(photo)
    pen.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=_EDGE, width=5)
    pen.rectangle((left, top, right, bottom), outline=_LINE, width=3)
    return _png(_captioned(photo, caption))


def beside(first: bytes, second: bytes) -> bytes:
    """Return two PNGs beside each other as one, their lower edges on one line: below captions the photos are level."""
    images = [Image.open(io.BytesIO(each)) for each in (first, second)]
    whole = Image.new("RGB", (sum(each.width for each in images) + _GAP, max(each.height for each in images)), "black")
    left = 0
    for image in images:
        whole.paste(image, (left, whole.height - image.height))
        left += image.width + _GAP
    stream = io.BytesIO()
    whole.save(stream, "PNG")  # the best compression of so large a picture takes seconds, and saves little
    return stream.getvalue()


def _draw_contour(photo: Image.Image, place: NDArray[np.bool_]) -> None:
    """Draw the borders between cells inside and outside; the border of the photo is one as well."""
    pen = ImageDraw.Draw(photo)
    lines = list(_borders(place, photo.size))
    for colour, width in ((_EDGE, 4), (_LINE, 2)):
        for line in lines:
            pen.line(line, fill=colour, width=width)


def _borders(place: NDArray[np.bool_], size: tuple[int, int]) -> list[tuple[float, float, float, float]]:
    rows, columns = place.shape
    wide, tall = (size[0] - 1) / columns, (size[1] - 1) / rows
    padded = np.pad(place, 1)
    upright = np.argwhere(padded[:, 1:] != padded[:, :-1]).tolist()
    level = np.argwhere(padded[1:] != padded[:-1]).tolist()
    return [
        *((column * wide, (row - 1) * tall, column * wide, row * tall) for row, column in upright),
        *(((column - 1) * wide, row * tall, column * wide, row * tall) for row, column in level),
    ]


def _captioned(photo: Image.Image, caption: Sequence[str]) -> Image.Image:
    font = ImageFont.load_default(_TEXT)
    lines = [part for line in caption for part in wrapped(line, font, photo.width - 2 * _MARGIN)]
    band = _MARGIN + len(lines) * _LINE_HEIGHT
    whole = Image.new("RGB", (photo.width, photo.height + band), "black")
    whole.paste(photo, (0, band))
    pen = ImageDraw.Draw(whole)
    for number, line in enumerate(lines):
        pen.text((_MARGIN, _MARGIN / 2 + number * _LINE_HEIGHT), line, "white", font)
    return whole


def wrapped(line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    """Return the words of a line in lines of at most this width in pixels; a longer word has its own line."""
    lines = [""]
    for word in line.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()
