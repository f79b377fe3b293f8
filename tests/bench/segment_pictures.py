"""Draws docs/segment-photos.jpg: eight drawn photos with a defect in a known part, under the contours that are found.

`PYTHONPATH=tests .venv/bin/python -m bench.segment_pictures [--model DIR] [--out FILE]`. Run it again when the
segmentation network is replaced.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from culld.records.regions import RegionClass
from culld.segment.masks import Segmenter
from culld.segment.outline import Ring, rings
from culld.segment.picture import COLOURS, picture, sentence
from culld.training.blur_kernels import convolve, disk, motion
from culld.training.segmentation import degrade
from harness import scenes

Pixels = NDArray[np.uint8]
Change = Callable[[Pixels], Pixels]
REPO = Path(__file__).parents[2]
FRAME = (1020, 680)
SHOWN = (459, 306)
GAP, LINE, COLUMNS = 8, 26, 2
MOST_BYTES = 250_000


def defocused(pixels: Pixels) -> Pixels:
    """Out of focus."""
    return degrade.pixels_of(convolve(degrade.light_of(pixels), disk(6)))


def moved(pixels: Pixels) -> Pixels:
    """Moved to the side."""
    return degrade.pixels_of(convolve(degrade.light_of(pixels), motion(28, 8)))


def darkened(pixels: Pixels) -> Pixels:
    """Four stops and a black level darker."""
    return degrade.pixels_of((degrade.light_of(pixels) - np.float32(0.25)) * np.float32(0.1))


def brightened(pixels: Pixels) -> Pixels:
    """Three stops brighter."""
    return degrade.pixels_of(degrade.light_of(pixels) * np.float32(8))


def compressed(pixels: Pixels) -> Pixels:
    """A JPEG of quality 6."""
    return degrade.jpeg(pixels, 6)


def noisy(pixels: Pixels) -> Pixels:
    """Noise of 22 grey levels."""
    noise = np.random.default_rng(1).normal(0, 22, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def flat(pixels: Pixels) -> Pixels:
    """A plain wall."""
    return np.full_like(pixels, (150, 156, 162))


CHANGES: tuple[tuple[str, int, Change | None, Change | None], ...] = (
    ("nothing", 1, None, None),
    ("right half out of focus", 2, None, defocused),
    ("right half moved", 7, None, moved),
    ("right half crushed", 4, None, darkened),
    ("right half clipped", 9, None, brightened),
    ("right half compressed", 6, None, compressed),
    ("right half noisy", 13, None, noisy),
    ("left half a wall, right half out of focus", 8, flat, defocused),
)
"""What is done to a drawn scene: the words, the number of the scene, and the changes of both halves."""


def photo(seed: int, left: Change | None, right: Change | None) -> Pixels:
    """Return a drawn scene whose halves are changed."""
    pixels = np.asarray(scenes.picture(scenes.Scene(seed, size=(2 * FRAME[0], 2 * FRAME[1]))).reduce(2)).copy()
    half = FRAME[0] // 2
    for part, change in ((slice(0, half), left), (slice(half, None), right)):
        if change is not None:
            pixels[:, part] = change(pixels)[:, part]
    return pixels


def tile(segmenter: Segmenter, words: str, pixels: Pixels) -> tuple[Image.Image, set[RegionClass]]:
    """Return a photo under its contours with a line of words above it, and the classes that are outlined."""
    found = segmenter.segment(pixels)
    scale = SHOWN[0] / FRAME[0]
    outlines = {
        kind: [Ring(each.points * scale, each.is_hole) for each in rings(found.masks[kind])] for kind in COLOURS
    }
    small = np.asarray(Image.fromarray(pixels).resize(SHOWN, Image.Resampling.LANCZOS))
    drawn = Image.open(io.BytesIO(picture(small, outlines, found.shares)))
    whole = Image.new("RGB", (SHOWN[0], SHOWN[1] + 4 * LINE + 24), "black")
    whole.paste(drawn, (0, whole.height - drawn.height))
    ImageDraw.Draw(whole).text((10, 6), f"drawn: {words}", "white", ImageFont.load_default(18))
    print(f"{words}: {sentence(found.shares)}")
    return whole, {kind for kind, each in outlines.items() if each}


def sheet(tiles: list[Image.Image]) -> Image.Image:
    """Return pictures of one size in rows, on white."""
    wide, tall = tiles[0].width + GAP, tiles[0].height + GAP
    rows = -(-len(tiles) // COLUMNS)
    whole = Image.new("RGB", (COLUMNS * wide - GAP, rows * tall - GAP), "white")
    for at, each in enumerate(tiles):
        whole.paste(each, (at % COLUMNS * wide, at // COLUMNS * tall))
    return whole


def main() -> None:
    """Write the picture; exit with a message if a class is outlined in none of the photos."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=REPO / "models" / "segment", metavar="DIR")
    parser.add_argument("--out", type=Path, default=REPO / "docs" / "segment-photos.jpg", metavar="FILE")
    args = parser.parse_args()
    segmenter = Segmenter.open(args.model)
    made = [tile(segmenter, words, photo(seed, *halves)) for words, seed, *halves in CHANGES]
    missing = set(COLOURS).difference(*(found for _, found in made))
    whole, quality = sheet([each for each, _ in made]), 88
    whole.save(args.out, quality=quality)
    while args.out.stat().st_size > MOST_BYTES:
        quality -= 4
        whole.save(args.out, quality=quality)
    print(f"{args.out.name}: {args.out.stat().st_size} bytes, quality {quality}")
    if missing:
        parser.exit(1, f"not outlined anywhere: {', '.join(sorted(missing))}\n")


if __name__ == "__main__":
    main()
