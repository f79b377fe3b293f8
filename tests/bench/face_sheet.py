"""Draw photos with the boxes and eyes of their faces and the numbers of culld, as one sheet to look at.

PYTHONPATH=tests .venv/bin/python -m bench.face_sheet FOLDER sheet.jpg [--count 24] [--seed 1]
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from bench.missed_focus import FACES, TAG, open_detector, open_model
from culld.subject.faces import FaceDetector, Point
from culld.subject.focus import FocusModel
from culld.subject.patch import face_region
from culld.subject.portrait import JudgedFace, judge_face, ranked

WIDTH, HEIGHT, COLUMNS = 320, 240, 6
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_CALM, _ALARM, _OTHER = "#40e040", "#ff4040", "#40c0ff"


def judged_faces(photo: Image.Image, detector: FaceDetector, model: FocusModel) -> tuple[JudgedFace, ...]:
    """Return the ranked faces of an upright photo."""
    pixels = np.asarray(photo)
    found = []
    for face in sorted(detector.detect(pixels), key=lambda face: -face.box[3])[:FACES]:
        region = face_region(face, photo.width / photo.height)
        found.append(judge_face(region.of(pixels), region, face, model))
    return ranked(found)


def cell(photo: Image.Image, faces: tuple[JudgedFace, ...], name: str) -> Image.Image:
    """Return a photo with its faces, 320x240: the main one green, or red if called out of focus, others blue."""
    fitted = ImageOps.contain(photo, (WIDTH, HEIGHT))
    drawn = Image.new("RGB", (WIDTH, HEIGHT), "black")
    drawn.paste(fitted)
    draw = ImageDraw.Draw(drawn)
    for place, judged in reversed(list(enumerate(faces))):
        alarm = _ALARM if (judged.blur or 0) >= TAG else _CALM
        colour = alarm if place == 0 else _OTHER
        x, y, wide, tall = judged.face.box
        box = (x * fitted.width, y * fitted.height, (x + wide) * fitted.width, (y + tall) * fitted.height)
        draw.rectangle(box, outline=colour)
        for eye in judged.face.eyes:
            _dot(draw, eye, fitted.size, colour)
        blur = "-" if judged.blur is None else f"{judged.blur:.2f}"
        draw.text((box[0] + 2, min(box[3], HEIGHT - 22)), f"{blur} {judged.light:+.1f}EV", fill=colour)
    draw.text((2, HEIGHT - 11), name, fill="white")
    return drawn


def _dot(draw: ImageDraw.ImageDraw, point: Point, size: tuple[int, int], colour: str) -> None:
    x, y = point.x * size[0], point.y * size[1]
    draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=colour)


def main() -> None:
    """Draw the sheet of photos that have a face."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    files = sorted(file for file in arguments.folder.rglob("*") if file.suffix.lower() in _SUFFIXES)
    random.Random(arguments.seed).shuffle(files)  # noqa: S311
    detector, model = open_detector(), open_model()
    cells: list[Image.Image] = []
    for file in files:
        with Image.open(file) as opened:
            photo = ImageOps.exif_transpose(opened).convert("RGB")
        if faces := judged_faces(photo, detector, model):
            cells.append(cell(photo, faces, file.stem))
        if len(cells) == arguments.count:
            break
    sheet = Image.new("RGB", (COLUMNS * WIDTH, -(-len(cells) // COLUMNS) * HEIGHT))
    for place, each in enumerate(cells):
        sheet.paste(each, (place % COLUMNS * WIDTH, place // COLUMNS * HEIGHT))
    sheet.save(arguments.sheet, quality=80)


if __name__ == "__main__":
    main()
