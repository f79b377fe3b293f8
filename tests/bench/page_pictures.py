"""Draws the pictures of docs/explain.md and docs/clips.md by culld's own commands.

`PYTHONPATH=tests .venv/bin/python -m bench.page_pictures`. The photo and the clip are drawn. Run it again when the
defect network or the pictures of these commands change.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from harness import scenes
from harness.camera_clips import Shot, encode, frames

DOCS: Final = Path(__file__).parents[2] / "docs"
Pixels = NDArray[np.uint8]
CULLD: Final = Path(sys.executable).with_name("culld")
SIZE: Final = (1536, 1024)
GAP: Final = 12
SHOT: Final = Shot(seconds=3.0, size=(640, 360))


def main() -> None:
    """Write both pictures, and print what the commands print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        maps = []
        for head, picture in (("blur", blurred()), ("over", burnt_out())):
            picture.save(folder / f"{head}.jpg", quality=92)
            print(printed(folder, "explain", f"{head}.jpg", "--head", head, "--out", f"{head}.png"))
            maps.append(Image.open(folder / f"{head}.png").convert("RGB"))
        (DOCS / "explain-maps.jpg").write_bytes(side_by_side(*maps))
        (folder / "IMG_1.mp4").write_bytes(encode(shaken_then_still()))
        print(printed(folder, "score", "IMG_1.mp4", "--plot", "plot.png"))
        (DOCS / "clips-plot.png").write_bytes((folder / "plot.png").read_bytes())


def blurred() -> Image.Image:
    """Return a landscape out of focus."""
    return scenes.picture(scenes.Scene(7, size=SIZE)).filter(ImageFilter.GaussianBlur(6))


def burnt_out() -> Image.Image:
    """Return a landscape whose sky is up to 1.3 stops too bright."""
    pixels = np.asarray(scenes.picture(scenes.Scene(2, size=SIZE)), np.float64)
    gain = np.linspace(2.4, 1.0, SIZE[1])[:, None, None]
    return Image.fromarray(np.clip(pixels * gain, 0, 255).astype(np.uint8))


def shaken_then_still() -> Iterator[Pixels]:
    """Yield a shot that is shaken for 3 s and then held still for 5 s."""
    picture = np.asarray(scenes.picture(scenes.Scene(3, size=(1600, 1000))))
    return chain(frames(picture, replace(SHOT, shake=0.02)), frames(picture, replace(SHOT, seconds=5.0)))


def printed(folder: Path, *words: str) -> str:
    """Return what a command of culld prints."""
    done = subprocess.run([CULLD, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def side_by_side(one: Image.Image, other: Image.Image) -> bytes:
    """Return two pictures of one size beside each other as JPEG."""
    whole = Image.new("RGB", (one.width + GAP + other.width, one.height), "white")
    whole.paste(one, (0, 0))
    whole.paste(other, (one.width + GAP, 0))
    whole.thumbnail((1200, 1200), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    whole.save(stream, "JPEG", quality=85)
    return stream.getvalue()


if __name__ == "__main__":
    main()
