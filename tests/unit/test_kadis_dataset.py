"""The KADIS data set on disk."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest

from culld.errors import ConfigError
from culld.training.dataset import Scene, Split
from culld.training.kadis_dataset import Writer, kadis_samples, write_tables
from culld.training.two_stage.input_pipelines import read_table

if TYPE_CHECKING:
    from pathlib import Path

FRAME = np.full((384, 512, 3), 90, np.uint8)
SCENES = [Scene(f"a/{number}.jpg", frozenset(), "s", "CC0") for number in range(5)]


class FakeFiles:
    """A decoder and an encoder that remember what they were asked for."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self.read: list[Path] = []
        self.saved: list[str] = []

    def decode(self, path: Path) -> np.ndarray:
        """The same grey frame for every file."""
        self.read.append(path)
        return FRAME

    def save(self, pixels: np.ndarray, path: Path) -> None:
        """Write the mean instead of a picture."""
        self.saved.append(path.name)
        path.write_text(str(pixels.mean()), "utf-8")


def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    """The lines of a table."""
    with (folder / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def write(folder: Path, files: FakeFiles, kinds: int = 4) -> None:
    """The whole data set of the scenes; the last one is kept out."""
    writer = Writer(folder, folder / "out", files.decode, files.save)
    rows = [writer.write(scene, kadis_samples(scene, kinds, 1)) for scene in SCENES]
    write_tables(folder / "out", Split(tuple(SCENES[:3]), tuple(SCENES[3:4]), tuple(SCENES[4:])), rows)


def test_a_row_has_the_columns_of_kadis(tmp_path: Path) -> None:
    """Clean rows have type and level 0; names carry both with two digits, and the labels follow the type."""
    write(tmp_path, FakeFiles())

    labels = rows_of(tmp_path / "out", "labels.csv")

    assert list(labels[0]) == ["path", "blur", "under", "over", "dist_type", "dist_level", "ref"]
    assert labels[0]["path"] == "ref_imgs/a_0.png"
    assert {row["dist_type"] for row in labels} == {"0", "2", "3", "16", "17"}
    for row in labels:
        kind, level = int(row["dist_type"]), int(row["dist_level"])
        shown = (row["blur"], row["under"], row["over"])
        assert shown == (str(int(kind in {2, 3})), str(int(kind == 17)), str(int(kind == 16)))
        if kind:
            assert row["path"].endswith(f"_{kind:02}_{level:02}.jpg")
            assert level in {2: (2, 3, 4), 3: (4, 5), 16: (4, 5), 17: (4, 5)}[kind]


def test_no_scene_stands_on_both_sides(tmp_path: Path) -> None:
    """The tables are split by `ref`, never by row, and together they are everything."""
    write(tmp_path, FakeFiles())
    out = tmp_path / "out"

    train, val = ({row["ref"] for row in rows_of(out, name)} for name in ("train.csv", "val.csv"))

    assert val == {"a/4.jpg"}
    assert not train & val
    assert len(rows_of(out, "train.csv")) + len(rows_of(out, "val.csv")) == len(rows_of(out, "labels.csv")) == 25


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    """An interrupted run goes on where it was, and a complete run reads no photo."""
    write(tmp_path, FakeFiles())
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    lost = next((tmp_path / "out" / "dist_imgs").glob("a_2_*"))
    lost.unlink()

    files = FakeFiles()
    write(tmp_path, files)

    assert files.saved == [f".{lost.name}"]
    assert files.read == [tmp_path / "a" / "2.jpg"]
    assert before == {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}


@pytest.mark.parametrize("kinds", [1, 2, 4])
def test_each_scene_shows_as_many_kinds_as_asked(kinds: int) -> None:
    """Different ones, chosen by seed and file name."""
    found = kadis_samples(SCENES[0], kinds, 1)

    assert found[0].steps == ()
    assert len({sample.steps[0].kind for sample in found[1:]}) == kinds
    assert found == kadis_samples(SCENES[0], kinds, 1)
    assert [kadis_samples(scene, 1, 1)[1].steps for scene in SCENES] != [
        kadis_samples(scene, 1, 2)[1].steps for scene in SCENES
    ]


def test_a_table_that_is_none_is_a_clear_error(tmp_path: Path) -> None:
    """The message names the file and the command that makes one."""
    (tmp_path / "train.csv").write_text("a,b\n1,2\n", "utf-8")

    with pytest.raises(ConfigError, match=r"train\.csv: is no table of `culld model dataset`"):
        read_table(tmp_path / "train.csv")
