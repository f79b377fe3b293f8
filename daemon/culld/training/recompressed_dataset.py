"""The data set of the source document on disk: each photo as it is, and saved again as JPEG of five qualities.

Files that exist are not made again, so an interrupted run goes on. `index.csv` is written last, and splits the files by
scene: no photo stands in two parts. Names of files are those of the source document.
"""

from __future__ import annotations

import csv
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from culld.training.dataset import Scene, Split

    Pixels = NDArray[np.uint8]

QUALITIES: Final = (5, 10, 30, 50, 70)
ORIGINALS, COMPRESSED, INDEX = "original_images", "compressed_images", "index.csv"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `index.csv`; paths are relative to its folder, `part` is train, calibration or test."""

    path: str
    original: str
    quality: int
    part: str
    source: str
    licence: str


@dataclass(frozen=True, slots=True)
class RecompressedWriter:
    """Writes the files of scenes; `read` gives the pixels of a photo, `encode` the JPEG file of a quality."""

    photos: Path
    out: Path
    read: Callable[[Path], Pixels]
    encode: Callable[[Pixels, int], bytes]

    def write(self, scene: Scene) -> int:
        """Write the missing files of a scene: a copy of the photo, and its compressed ones; return how many they were.

        Each is written under a hidden name and then renamed. Raises OSError if one cannot be read or written.
        """
        photo = self.photos / scene.file
        wanted = {quality: self.out / compressed_name(scene, quality) for quality in QUALITIES}
        missing = {quality: target for quality, target in wanted.items() if not target.exists()}
        pixels = self.read(photo) if missing else None
        for quality, target in missing.items():
            if pixels is not None:
                _put(target, self.encode(pixels, quality))
        original = self.out / original_name(scene)
        if original.exists():
            return len(missing)
        _put(original, photo.read_bytes())
        return len(missing) + 1


def original_name(scene: Scene) -> str:
    """Return the path of the copy of a photo, relative to the data set."""
    return f"{ORIGINALS}/{scene.file.replace('/', '_')}"


def compressed_name(scene: Scene, quality: int) -> str:
    """Return the path of a photo in this quality, relative to the data set."""
    return f"{COMPRESSED}/{scene.file.replace('/', '_').rsplit('.', 1)[0]}_compressed_{quality}.jpg"


def write_index(out: Path, parts: Split) -> dict[str, int]:
    """Write `index.csv` with a line for each compressed file; return the number of lines of each part."""
    dealt = {"train": parts.train, "calibration": parts.calibration, "test": parts.test}
    rows = [row for part, scenes in dealt.items() for row in _rows(part, scenes)]
    torn = out / f".{INDEX}"
    with torn.open("w", encoding="utf-8", newline="") as stream:
        lines = csv.writer(stream, lineterminator="\n")
        lines.writerow([field.name for field in fields(Row)])
        lines.writerows(astuple(row) for row in rows)
    torn.replace(out / INDEX)
    return {part: len(scenes) * len(QUALITIES) for part, scenes in dealt.items()}


def _rows(part: str, scenes: Iterable[Scene]) -> list[Row]:
    return [
        Row(compressed_name(scene, quality), original_name(scene), quality, part, scene.source, scene.licence)
        for scene in scenes
        for quality in QUALITIES
    ]


def _put(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    torn = target.with_name(f".{target.name}")
    torn.write_bytes(data)
    torn.replace(target)
