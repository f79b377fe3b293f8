"""The bench of the models of change on drawn photos: a folder of them, and the files that the bench writes."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from culld.cli import compare_bench
from harness.scenes import Scene, picture

TRAIN, CALIBRATION, TEST = (1,), (23, 36), (0, 4, 15, 17, 21, 26, 29, 32, 34)
"""The numbers of the photos; `training.dataset.split` deals them out by their names."""
EVERY_KIND = 16
"""The smallest set."""


def draw_photos(folder: Path, size: tuple[int, int] = (1024, 768)) -> Path:
    """Write the photos with their index; return the folder."""
    folder.mkdir(parents=True)
    with (folder / "index.csv").open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines)
        table.writerow(("file", "tags", "source", "licence"))
        table.writerows((f"{number}.jpg", "", "drawn", "CC0") for number in (*TRAIN, *CALIBRATION, *TEST))
    for number in (*CALIBRATION, *TEST):
        picture(Scene(number, size=size)).save(folder / f"{number}.jpg", quality=92)
    return folder


def run_bench(photos: Path, out: Path, models: str | None, *, pairs: int = EVERY_KIND) -> Path:
    """Run the bench as the command line does; return the page."""
    given = argparse.Namespace(photos=photos, out=out, pairs=pairs, models=models, json=False)
    assert compare_bench.run(given) == 0
    return out / "index.html"
