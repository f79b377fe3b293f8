"""Drawn photographs with structure: tiles of random colours, and a folder of them that training reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def tiles(seed: int, size: tuple[int, int] = (240, 320)) -> np.ndarray:
    """A picture, uint8 RGB of this (height, width), of soft tiles."""
    colours = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(colours).resize(size[::-1], Image.Resampling.BICUBIC))


def photo_folder(folder: Path, count: int) -> None:
    """Write photographs and the index that training reads."""
    lines = ["file,width,height,tags,source,licence"]
    for number in range(count):
        Image.fromarray(tiles(number)).save(folder / f"{number}.jpg")
        lines.append(f"{number}.jpg,320,240,,drawn,CC0")
    (folder / "index.csv").write_text("\n".join(lines) + "\n", "utf-8")
