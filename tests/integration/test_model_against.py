"""`culld model evaluate --against`: both shipped models on the same photos, and whether one may replace the other."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from culld.cli import main
from culld.compare.bench.defects import defect_rows
from culld.inference.card import load_card
from culld.training.dataset import read_index, split
from culld.training.experiment import load_recipe
from harness.scenes import Scene, picture

MODELS = Path(__file__).resolve().parents[2] / "models"
FILES = ("card.json", "model.tflite", "train.yaml")
SIZE = (600, 400)
NUMBERS = (0, 4, 23, 1)
"""By their names the first two are test scenes, 23 is one to calibrate on, and 1 to train on."""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of drawn photos, two of which are test scenes."""
    folder = tmp_path / "photos"
    folder.mkdir()
    with (folder / "index.csv").open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines)
        table.writerow(("file", "tags", "source", "licence"))
        table.writerows((f"{number}.jpg", "", "drawn", "CC0") for number in NUMBERS)
    splits = load_recipe(MODELS / "defects" / "train.yaml").splits
    for scene in split(read_index(folder), splits).test:
        picture(Scene(int(scene.file.partition(".")[0]), size=SIZE)).save(folder / scene.file, quality=90)
    return folder


def copied(name: str, folder: Path) -> Path:
    """Copy what is measured of a shipped model."""
    target = folder / name
    target.mkdir()
    for file in FILES:
        shutil.copy(MODELS / name / file, target / file)
    return target


def test_both_models_are_measured_on_the_same_photos(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file has both with the digest of the photos; the verdict is printed, and the bench reads the rows."""
    new, current = copied("defects-2", tmp_path), copied("defects", tmp_path)

    code = main(["model", "evaluate", str(new), "--photos", str(photos), "--against", str(current), "--json"])

    shown = capsys.readouterr()
    report = json.loads((new / "figures.json").read_text("utf-8"))
    names = [load_card(folder).id for folder in (new, current)]
    assert code == 0
    assert json.loads(shown.out) == report
    assert list(report["contenders"]) == names
    assert len(report["photos"]) == 12
    assert f"{names[0]} may " in shown.err
    assert f" replace {names[1]}: " in shown.err
    assert {row.photos for row in defect_rows(new, ())} == {report["photos"]}
