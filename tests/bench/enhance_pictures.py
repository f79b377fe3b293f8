"""Draws docs/enhance-*.jpg: a drawn landscape before and after a repair, and the difference between them.

`PYTHONPATH=tests .venv/bin/python -m bench.enhance_pictures [--out DIR]`.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from culld.enhance.exposure import open_tone_network, repair_exposure
from culld.enhance.restore import open_restoration, restore
from culld.inference.card import MODEL_FILE
from culld.records import Defect
from harness import scenes

Pixels = NDArray[np.uint8]
REPO = Path(__file__).parents[2]
WIDTH, GAP = 500, 8
_PART = (150, 100, 250, 200)
"""Left, top, width and height of the part of the compressed picture that is shown, twice as large."""


def compression() -> list[Pixels]:
    """A part of a landscape as JPEG of quality 10, its repair, and four times the difference."""
    saved = io.BytesIO()
    scenes.picture(scenes.Scene(4, size=(600, 400))).save(saved, "JPEG", quality=10)
    before = np.asarray(Image.open(saved))
    after = restore(before, open_restoration(REPO / "models" / "restore-jpeg"))
    left, top, width, height = _PART
    parts = [each[top : top + height, left : left + width] for each in (before, after)]
    return [np.repeat(np.repeat(each, 2, axis=0), 2, axis=1) for each in (*parts, difference(*parts, 4))]


def exposure() -> list[Pixels]:
    """A landscape that is 3 EV too dark, its repair, and the difference."""
    dark = scenes.picture(scenes.Scene(2, size=(WIDTH, 334))).point([round(level * 0.29) for level in range(256)] * 3)
    before = np.asarray(dark)
    network = open_tone_network(REPO / "models" / "restore-exposure" / MODEL_FILE)
    after = repair_exposure(before, Defect.UNDER, network)
    return [before, after, difference(before, after, 1)]


def difference(before: Pixels, after: Pixels, factor: int) -> Pixels:
    """Return the difference times `factor`, on middle grey."""
    return np.clip(128 + factor * (after.astype(np.int16) - before), 0, 255).astype(np.uint8)


def beside(pictures: list[Pixels]) -> Image.Image:
    """Return pictures of one size beside each other, on white."""
    height = pictures[0].shape[0]
    white = np.full((height, GAP, 3), 255, np.uint8)
    first, *others = pictures
    return Image.fromarray(np.concatenate([first, *(part for each in others for part in (white, each))], axis=1))


def main() -> None:
    """Write both pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=REPO / "docs", metavar="DIR")
    out = parser.parse_args().out
    for name, pictures in (("jpeg", compression()), ("exposure", exposure())):
        beside(pictures).save(out / f"enhance-{name}.jpg", quality=85, subsampling=0)


if __name__ == "__main__":
    main()
