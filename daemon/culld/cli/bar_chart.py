"""Stacked horizontal bar charts as PNG files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_ROW, _NAMES, _BARS, _MARGIN, _TEXT = 34, 300, 520, 24, 16
_COLOURS: Final = (
    "#d55e00",
    "#0072b2",
    "#c9ced6",
    "#8d99ae",
    "#e69f00",
)  # Okabe and Ito


def draw(file: Path, title: str, parts: Sequence[str], rows: Sequence[tuple[str, Sequence[int]]]) -> None:
    """Write a PNG with one bar per row; `rows` holds a name and one count per part, `parts` at most five names.

    Raises OSError if the file cannot be written.
    """
    size = (_NAMES + _BARS + 2 * _MARGIN, _ROW * (len(rows) + 2) + 2 * _MARGIN)
    image = Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(_TEXT)
    pen.text((_MARGIN, _MARGIN), title, "black", ImageFont.load_default(_TEXT + 4))
    _legend(pen, font, parts)
    most = max((sum(numbers) for _, numbers in rows), default=0) or 1
    for number, (name, numbers) in enumerate(rows):
        top = _MARGIN + _ROW * (number + 2)
        pen.text((_MARGIN, top + 4), _fitting(name, font), "black", font)
        left = float(_NAMES)
        for part, colour in zip(numbers, _COLOURS, strict=False):
            width = _BARS * part / most
            if part:
                pen.rectangle((left, top, left + width, top + _ROW - 10), colour)
                pen.text((left + 4, top + 3), str(part), "white" if colour in _COLOURS[:2] else "black", font)
            left += width
    image.save(file, "PNG")


def _legend(pen: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, parts: Sequence[str]) -> None:
    left, top = float(_MARGIN), _MARGIN + _ROW
    for part, colour in zip(parts, _COLOURS, strict=False):
        pen.rectangle((left, top + 2, left + _TEXT, top + 2 + _TEXT), colour)
        pen.text((left + _TEXT + 6, top), part, "black", font)
        left += _TEXT + 26 + pen.textlength(part, font)


def _fitting(name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Return the name, shortened to the width of the column."""
    while len(name) > 1 and font.getlength(name) > _NAMES - _MARGIN - 10:
        name = name.removesuffix("…")[:-1] + "…"
    return name
