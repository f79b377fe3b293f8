"""The legend on the frames of a clip: it lies on the upper border, since frames of a clip are all of one size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw, ImageFont

from culld.segment.picture import COLOURS, NAMES, entry, present

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from culld.records.regions import RegionClass

    Shares = Mapping[RegionClass, float]

_FRAME_PER_TEXT: Final = 86  # so that all classes fit beside each other on a frame of 16:9
_SMALLEST_TEXT: Final = 12
_BAND: Final = 1 / 6  # of the height, for all classes at places of their own
_MOST: Final = 1 / 3  # of the height, where only some classes fit
_SHADE: Final = [level // 3 for level in range(256)] * 3
_ABSENT: Final = (130, 130, 130)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a class stands in the legend: left and top in px of the frame."""

    kind: RegionClass
    left: int
    top: int


class ClipLegend:
    """Draws the legend on frames of one size; not to be shared between threads."""

    def __init__(self, size: tuple[int, int]) -> None:
        """Fit the legend to frames of this (width, height) in px."""
        self._size = size
        self._text = max(_SMALLEST_TEXT, round(max(size) / _FRAME_PER_TEXT))
        self._font = ImageFont.load_default(self._text)
        self._row = round(1.5 * self._text)
        self._whole = self._laid_out(COLOURS, _BAND)

    def draw(self, frame: Image.Image, shares: Shares) -> None:
        """Draw the classes that are `present` in colour, with their shares of the frame.

        Each class has its own place, so that nothing jumps from frame to frame, and those that are absent are grey. On
        a frame too small for all only those present are drawn, the largest first, as many as fit.
        """
        shown = dict(present(shares))
        places = self._whole or self._laid_out(shown, _MOST)
        if not places:
            return
        band = (0, 0, self._size[0], places[-1].top + self._row)
        frame.paste(frame.crop(band).point(_SHADE), band)
        pen = ImageDraw.Draw(frame)
        for place in places:
            self._draw_entry(pen, place, shown.get(place.kind))

    def _draw_entry(self, pen: ImageDraw.ImageDraw, place: _Place, share: float | None) -> None:
        side = round(0.8 * self._text)
        top = place.top + (self._row - side) // 2
        square = (place.left, top, place.left + side, top + side)
        colour, text = ("white", entry(place.kind, share)) if share is not None else (_ABSENT, NAMES[place.kind])
        pen.rectangle(square, COLOURS[place.kind] if share is not None else None, None if share is not None else colour)
        pen.text((place.left + self._swatch, place.top + self._row // 2), text, colour, self._font, "lm")

    @property
    def _swatch(self) -> int:
        """The width of the coloured square with the gap behind it."""
        return round(1.2 * self._text)

    def _laid_out(self, kinds: Iterable[RegionClass], most: float) -> tuple[_Place, ...]:
        """Return the places of classes in rows; none if they take more than `most` of the height, and `kinds` are all.

        Of others those are left out that do not fit.
        """
        margin = self._text // 2
        places: list[_Place] = []
        left, row = margin, 0
        for kind in kinds:
            wide = self._swatch + round(max(self._font.getlength(entry(kind, share)) for share in (0.0, 1.0)))
            if left > margin and left + wide > self._size[0]:
                left, row = margin, row + 1
            if (row + 1) * self._row > most * self._size[1] or left + wide > self._size[0]:
                return () if kinds is COLOURS else tuple(places)
            places.append(_Place(kind, left, row * self._row))
            left += wide + self._text
        return tuple(places)
