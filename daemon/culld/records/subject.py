"""The subject of a photo: its faces, how sharp the photo is in its full resolution, and how bright."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeAlias

    Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a photo.

    `box` holds x, y, width and height, and `eyes` the two eyes as x and y, all as fractions 0..1 of the upright photo;
    an eye may be cut off and lie outside of it. `confidence` is the score of the face network, 0..1. `blur` is the
    probability that the face is out of focus, and `light` its mean luminance in EV above mid grey; None where they
    cannot be measured.
    """

    box: tuple[float, float, float, float]
    eyes: tuple[Point, Point]
    confidence: float
    blur: float | None = None
    light: float | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a photo: its `faces`, the main one first.

    - `sharpness` is larger for the sharper one of two frames of a scene; None if it was not measured.
    - `sharp_share` is the share, 0..1, of the textured parts of the photo that are sharp.
    - `sharpest` is the centre of the sharpest part, as fractions 0..1 of the upright photo.
    - `brightness` is the median luminance of the photo in EV above mid grey, -6.5 (black) to 2.5 (white).
    """

    faces: tuple[Face, ...] = ()
    sharpness: float | None = None
    sharp_share: float | None = None
    sharpest: Point | None = None
    brightness: float | None = None
