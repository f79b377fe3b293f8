"""Draw photos with the boxes and eyes of their faces and the numbers of culld, as one sheet to look at.

    PYTHONPATH=tests .venv/bin/python -m bench.face_sheet FOLDER sheet.jpg [--count 24] [--seed 1] [--blank]

`--blank` leaves the photos out, so that the sheet of photos that may not be shown can be: `docs/faces.png` is one.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from bench.missed_focus import TAG, open_finder
from culld.imaging.decode import DecodedPhoto
from culld.records import Face
from culld.subject.finder import SubjectFinder

WIDTH, HEIGHT, COLUMNS = 320, 240, 6
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_CALM, _ALARM, _OTHER, _GREY = "#40e040", "#ff4040", "#40c0ff", "#303030"


def judged_faces(photo: Image.Image, finder: SubjectFinder) -> tuple[Face, ...]:
    """Return the faces of an upright photo, the main one first."""
    decoded = DecodedPhoto(photo, photo.size)
    return finder.find(decoded.frame(), decoded, lambda: np.asarray(photo))[0].faces


def cell(photo: Image.Image, faces: tuple[Face, ...], name: str) -> Image.Image:
    """Return a photo with its faces, 320x240: the main one green, red if called out of focus; others blue."""
    fitted = ImageOps.contain(photo, (WIDTH, HEIGHT))
    drawn = Image.new("RGB", (WIDTH, HEIGHT), "black")
    drawn.paste(fitted)
    draw = ImageDraw.Draw(drawn)
    for place, face in reversed(list(enumerate(faces))):
        alarm = _ALARM if (face.blur or 0) >= TAG else _CALM
        colour = alarm if place == 0 else _OTHER
        x, y, wide, tall = face.box
        box = (x * fitted.width, y * fitted.height, (x + wide) * fitted.width, (y + tall) * fitted.height)
        draw.rectangle(box, outline=colour)
        for eye in face.eyes:
            _dot(draw, eye, fitted.size, colour)
        blur = "-" if face.blur is None else f"{face.blur:.2f}"
        light = "" if face.light is None else f" {face.light:+.1f}EV"
        draw.text((box[0] + 2, min(box[3], HEIGHT - 22)), blur + light, fill=colour)
    draw.text((2, HEIGHT - 11), name, fill="white")
    draw.rectangle((0, 0, WIDTH - 1, HEIGHT - 1), outline="black")
    return drawn


def _dot(draw: ImageDraw.ImageDraw, point: tuple[float, float], size: tuple[int, int], colour: str) -> None:
    x, y = point[0] * size[0], point[1] * size[1]
    draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=colour)


def main() -> None:
    """Draw the sheet of photos that have a face."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--blank", action="store_true", help="grey areas of their shape in place of the photos")
    arguments = parser.parse_args()
    files = sorted(file for file in arguments.folder.rglob("*") if file.suffix.lower() in _SUFFIXES)
    random.Random(arguments.seed).shuffle(files)  # noqa: S311
    finder = open_finder()
    cells: list[Image.Image] = []
    for file in files:
        with Image.open(file) as opened:
            photo = ImageOps.exif_transpose(opened).convert("RGB")
        if faces := judged_faces(photo, finder):
            shown = Image.new("RGB", photo.size, _GREY) if arguments.blank else photo
            cells.append(cell(shown, faces, file.stem))
        if len(cells) == arguments.count:
            break
    sheet = Image.new("RGB", (COLUMNS * WIDTH, -(-len(cells) // COLUMNS) * HEIGHT))
    for place, each in enumerate(cells):
        sheet.paste(each, (place % COLUMNS * WIDTH, place // COLUMNS * HEIGHT))
    sheet.save(arguments.sheet, quality=80)


if __name__ == "__main__":
    main()
