"""Pictures of a series made from one photograph: windows, exposures in linear light, focus planes, moving objects."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from culld.imaging.decode import to_network_frame
from culld.training.blur_kernels import convolve, disk
from culld.training.photometric import expose, highlights, to_linear, to_srgb

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]

_LONGEST = 1400


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a photograph that a camera sees: centre and width as shares of the photograph, and a turn.

    `degrees` turns the camera.
    """

    x: float = 0.5
    y: float = 0.5
    width: float = 1.0
    height: float = 1.0
    degrees: float = 0.0

    def of(self, photo: Image.Image) -> Image.Image:
        """Return the window of a photograph; what lies beyond the border is black."""
        columns, rows = round(self.width * photo.width), round(self.height * photo.height)
        turn = math.radians(self.degrees)
        cos, sin = math.cos(turn), math.sin(turn)
        left, top = self.x * photo.width, self.y * photo.height
        x0 = left - cos * columns / 2 + sin * rows / 2
        y0 = top - sin * columns / 2 - cos * rows / 2
        return photo.transform(
            (columns, rows), Image.Transform.AFFINE, (cos, -sin, x0, sin, cos, y0), Image.Resampling.BICUBIC
        )


def opened(path: Path) -> Image.Image:
    """Return a photograph as RGB, upright as stored, its longer side at most `_LONGEST` pixels."""
    with Image.open(path) as image:
        image.draft("RGB", (_LONGEST, _LONGEST))
        photo = image.convert("RGB")
    photo.thumbnail((_LONGEST, _LONGEST))
    return photo


def padded(photo: Image.Image, share: float) -> Image.Image:
    """Return the photograph with a mirrored border of this share of its size, so that windows may leave it."""
    pixels = np.asarray(photo)
    rows, columns = int(pixels.shape[0] * share), int(pixels.shape[1] * share)
    return Image.fromarray(np.pad(pixels, ((rows, rows), (columns, columns), (0, 0)), mode="reflect"))


def as_stored(image: Image.Image, quality: int) -> Pixels:
    """Return the network frame of a picture that was stored as a JPEG of this quality."""
    stored = io.BytesIO()
    image.save(stored, "JPEG", quality=quality)
    return to_network_frame(Image.open(stored))


def linear(image: Image.Image) -> Plane:
    """Return the linear light of a picture, 0..1."""
    return to_linear(np.asarray(image, np.float32) / 255)


def picture(light: Plane) -> Image.Image:
    """Return the picture of linear light."""
    return Image.fromarray((to_srgb(np.clip(light, 0, 1)) * 255 + 0.5).astype(np.uint8))


def exposed(image: Image.Image, stops: float, headroom: float, rng: np.random.Generator) -> Image.Image:
    """Return a picture exposed by so many stops more, with noise; highlights are `headroom` stops above its white."""
    return picture(expose(highlights(linear(image), headroom), stops, rng))


def defocused(image: Image.Image, radius: float) -> Image.Image:
    """Return a picture out of focus: a disk of this radius, in pixels of a frame 512 wide, in linear light."""
    scaled = round(radius * image.width / 64) / 8  # eighths: the square is exact, so `disk` takes no root below zero
    return picture(convolve(linear(image), disk(scaled))) if scaled >= 1 else image


def focus_stack(image: Image.Image, planes: list[float], depth: Plane, strength: float) -> list[Image.Image]:
    """Return one picture for each plane in focus; `depth` (height, width) and planes are 0..1.

    The radius of the blur grows with the distance from the plane in focus, by `strength` pixels of a frame 512 wide.
    """
    radii = np.array([0.0, 1.0, 2.0, 3.5, 5.5, 8.0, 12.0, 18.0])
    layers = np.stack([np.asarray(defocused(image, radius), np.float32) for radius in radii])
    return [Image.fromarray(_mixed(layers, radii, strength * np.abs(depth - plane))) for plane in planes]


def _mixed(layers: NDArray[np.float32], radii: NDArray[np.float64], wanted: Plane) -> Pixels:
    place = np.interp(wanted, radii, np.arange(len(radii)))
    below = np.minimum(place.astype(int), len(radii) - 2)
    share = (place - below)[..., None]
    rows, columns = np.indices(below.shape)
    mixed = layers[below, rows, columns] * (1 - share) + layers[below + 1, rows, columns] * share
    return (mixed + 0.5).astype(np.uint8)


def pasted(image: Image.Image, patch: Image.Image, x: float, y: float, share: float) -> Image.Image:
    """Return a picture with a patch of this share of its width at a place, centre 0..1: an object that moved there."""
    size = max(2, round(share * image.width))
    small = patch.resize((size, size))
    copy = image.copy()
    copy.paste(small, (round(x * image.width - size / 2), round(y * image.height - size / 2)))
    return copy
