"""The picture of a comparison: both photos side by side, with what differs, a legend and numbers.

Blue and orange are those of Okabe and Ito, which differ under every common kind of colour blindness; changed content is
hatched, so it needs no colour.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from culld.compare.difference import CHANGED, without_specks
from culld.compare.sharpness_change import MARKED
from culld.imaging.overlay import wrapped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.compare.difference import Difference, Frame, Plane

BLUE: Final = (0, 114, 178)
"""Of the places where the first photo is sharper."""
ORANGE: Final = (230, 159, 0)
"""Of the places where the second photo is sharper."""
_OPACITY: Final = 0.55
_FULL: Final = math.log(3.0)  # the logarithm of the ratio that is drawn with the full opacity
_HATCH: Final = 12  # px between the lines
_GAP: Final = 8
_MARGIN: Final = 10
_TEXT: Final = 18
_LINE: Final = 26
_NARROWEST: Final = 320  # px of a panel: the legend needs it


def picture(found: Difference, names: tuple[str, str], text: str) -> bytes:
    """Return the PNG of a comparison of photos with these names; `text` is the sentence above them."""
    changed = without_specks(found.content > CHANGED)
    strength = _strength(found)
    panels = [
        _panel(frame, np.maximum(sign * strength, 0), colour, changed)
        for frame, sign, colour in zip(found.frames, (1, -1), (BLUE, ORANGE), strict=True)
    ]
    return _png(_sheet(panels, _labels(found, names), text, found))


def _strength(found: Difference) -> Plane:
    """Return the sharpness map in px of the frames, -1..1, 0 where it is not marked."""
    height, width = found.content.shape
    marked = np.where(np.abs(found.sharpness) > MARKED, found.sharpness, 0)
    known = np.nan_to_num(marked / _FULL, nan=0.0).clip(-1, 1).astype(np.float32)
    soft = np.asarray(Image.fromarray(known).resize((width, height), Image.Resampling.BILINEAR))
    return np.where(found.shared, soft, 0).astype(np.float32)


def _panel(frame: Frame, strength: Plane, colour: tuple[int, int, int], changed: NDArray[np.bool_]) -> Image.Image:
    opacity = (_OPACITY * np.sqrt(strength))[..., None]
    mixed = frame * (1 - opacity) + np.array(colour, np.float32) * opacity
    dark, light = _lines(changed)
    mixed[dark] = 0
    mixed[light] = 255
    return Image.fromarray(mixed.round().astype(np.uint8))


def _lines(changed: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the dark and the light pixels of the contour of a mask and of the hatch inside."""
    import cv2

    mask = changed.astype(np.uint8)
    rings = [cv2.dilate(mask, np.ones((side, side), np.uint8)) > 0 for side in (3, 7)]
    y, x = np.indices(changed.shape)
    phase = (x + y) % _HATCH
    inside = changed & (cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0)
    light = (rings[0] & ~inside) | (changed & (phase < 2))
    dark = (rings[1] & ~rings[0]) | (inside & (phase >= 2) & (phase < 4))
    return dark, light & ~dark


def _labels(found: Difference, names: tuple[str, str]) -> tuple[str, str]:
    """Return the line above each panel: name, share of the edges that are sharper there, and exposure."""
    known = found.sharpness[np.isfinite(found.sharpness)]
    shares = [float((sign * known > MARKED).mean()) if known.size else 0.0 for sign in (1, -1)]
    first, second = (
        f"{name}: sharper on {share:.0%} of the edges".replace("%", " %")
        for name, share in zip(names, shares, strict=True)
    )
    ev = "" if math.isnan(found.exposure_ev) else f"; {found.exposure_ev:+.1f} EV"
    return first, f"{second}{ev}"


def _sheet(panels: list[Image.Image], labels: tuple[str, str], text: str, found: Difference) -> Image.Image:
    """Return both panels under the text, each with its label, above the legend."""
    font = ImageFont.load_default(_TEXT)
    width, height = panels[0].size
    pitch = max(width, _NARROWEST) + _GAP
    whole = pitch * 2 - _GAP
    lines = wrapped(text, font, whole - 2 * _MARGIN)
    captions = [wrapped(label, font, pitch - _GAP - 2 * _MARGIN) for label in labels]
    top = _MARGIN + len(lines) * _LINE
    start = top + max(map(len, captions)) * _LINE + _MARGIN // 2
    sheet = Image.new("RGB", (whole, start + height + _legend_height(whole)), "black")
    pen = ImageDraw.Draw(sheet)
    _write(pen, lines, (_MARGIN, _MARGIN // 2), font)
    for number, (panel, caption) in enumerate(zip(panels, captions, strict=True)):
        _write(pen, caption, (number * pitch + _MARGIN, top), font)
        sheet.paste(panel, (number * pitch, start))
    _draw_legend(pen, (0, start + height, whole), font, found.changed)
    return sheet


def _legend_height(width: int) -> int:
    return _MARGIN + _LINE * (1 if width >= 3 * _NARROWEST else 3)


def _draw_legend(
    pen: ImageDraw.ImageDraw,
    place: tuple[int, int, int],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    changed: float,
) -> None:
    """Draw the keys of the colours and of the hatch, side by side or, in a narrow picture, in three lines."""
    left, top, width = place
    keys = (
        (BLUE, "the left one is sharper"),
        (ORANGE, "the right one is sharper"),
        (None, f"content differs: {changed:.1%}".replace("%", " %")),
    )
    beside = width >= 3 * _NARROWEST
    for number, (colour, text) in enumerate(keys):
        x = left + _MARGIN + (number * (width // 3) if beside else 0)
        y = top + _MARGIN + (0 if beside else number * _LINE)
        box = (x, y, x + 28, y + 16)
        pen.rectangle(box, fill=colour or (70, 70, 70), outline="white")
        if colour is None:
            for step in range(0, 28, 7):
                pen.line((x + step, y + 16, min(x + step + 16, x + 28), max(y, y + step - 12)), fill="white", width=2)
        pen.text((x + 38, y - 3), text, "white", font)


def _write(
    pen: ImageDraw.ImageDraw,
    lines: list[str],
    place: tuple[int, int],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    for number, line in enumerate(lines):
        pen.text((place[0], place[1] + number * _LINE), line, "white", font)


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=4)
    return stream.getvalue()
