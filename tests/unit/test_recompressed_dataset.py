"""The data set of the source document on disk."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from culld.training.dataset import Scene, Split
from culld.training.recompressed_dataset import QUALITIES, RecompressedWriter, write_index

SCENES = [Scene(f"a/{number}.jpg", frozenset(), "s", "CC0") for number in range(4)]


def writer(folder: Path, read: list[Path]) -> RecompressedWriter:
    """A writer whose photos are empty arrays, and whose files hold their quality."""

    def pixels(path: Path) -> np.ndarray:
        read.append(path)
        return np.zeros((2, 2, 3), np.uint8)

    for scene in SCENES:
        (folder / scene.file).parent.mkdir(exist_ok=True)
        (folder / scene.file).write_bytes(f"photo {scene.file}".encode())
    return RecompressedWriter(folder, folder / "out", pixels, lambda _pixels, quality: f"q{quality}".encode())


def test_a_photo_becomes_a_copy_and_five_qualities(tmp_path: Path) -> None:
    """The copy has the bytes of the photo, and the names are those of the source document."""
    count = writer(tmp_path, []).write(SCENES[0])

    out = tmp_path / "out"
    assert count == 6
    assert (out / "original_images" / "a_0.jpg").read_bytes() == b"photo a/0.jpg"
    found = {path.name: path.read_text("utf-8") for path in (out / "compressed_images").iterdir()}
    assert found == {f"a_0_compressed_{quality}.jpg": f"q{quality}" for quality in QUALITIES}


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    """Only what is missing is made; a photo whose files are all there is not even read."""
    read: list[Path] = []
    files = writer(tmp_path, read)
    files.write(SCENES[0])
    (tmp_path / "out" / "compressed_images" / "a_0_compressed_30.jpg").unlink()

    assert files.write(SCENES[0]) == 1
    assert files.write(SCENES[0]) == 0
    assert read == [tmp_path / "a/0.jpg"] * 2


def test_a_write_that_fails_leaves_no_file_under_its_name(tmp_path: Path) -> None:
    """The next run makes it."""

    def full(_pixels: np.ndarray, quality: int) -> bytes:
        if quality == 30:
            raise OSError("no space left")
        return b"x"

    files = writer(tmp_path, [])
    with pytest.raises(OSError, match="space"):
        RecompressedWriter(files.photos, files.out, files.read, full).write(SCENES[1])

    assert not (tmp_path / "out" / "compressed_images" / "a_1_compressed_30.jpg").exists()
    assert files.write(SCENES[1]) == 4


def test_the_index_splits_by_scene(tmp_path: Path) -> None:
    """Every compressed file has a line with its original; no original is in two parts."""
    out = tmp_path / "out"
    out.mkdir()

    counts = write_index(out, Split(tuple(SCENES[:2]), (SCENES[2],), (SCENES[3],)))

    with (out / "index.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert counts == {"train": 10, "calibration": 5, "test": 5}
    assert len(rows) == 20
    assert len({(row["original"], row["part"]) for row in rows}) == 4
    assert rows[0] == {
        "path": "compressed_images/a_0_compressed_5.jpg",
        "original": "original_images/a_0.jpg",
        "quality": "5",
        "part": "train",
        "source": "s",
        "licence": "CC0",
    }
