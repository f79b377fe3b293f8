"""`culld compare bench` on drawn photos: what it writes, that it repeats, and what it refuses in words."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from culld.cli import compare_bench
from culld.cli.compare_options import add_compare
from culld.compare.bench.probe import change_cost, defect_cost
from culld.errors import ConfigError, SystemFaultError
from harness.compare_bench import EVERY_KIND, draw_photos, run_bench

pytest.importorskip("cv2")
SIZE = (640, 480)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn photos with their index."""
    return draw_photos(tmp_path_factory.mktemp("bench") / "photos", SIZE)


@pytest.fixture(scope="module")
def out(photos: Path) -> Path:
    """The folder of a run with a measure, and a network that has no weights here."""
    return run_bench(photos, photos.parent / "out", "absdiff,siamese-vgg16").parent


def results(folder: Path) -> dict[str, Any]:
    """The results in a folder."""
    found: dict[str, Any] = json.loads((folder / "results.json").read_text("utf-8"))
    return found


def test_a_run_writes_results_table_and_page(out: Path) -> None:
    """All three name the same frozen set."""
    found = results(out)
    digest = found["pairs"]["digest"]

    assert {file.name for file in out.iterdir()} == {"results.json", "table.md", "index.html"}
    assert found["pairs"]["pairs"] == EVERY_KIND
    for name in ("table.md", "index.html"):
        assert f"Frozen set {digest}" in (out / name).read_text("utf-8")


def test_a_measured_model_has_figures_and_cost_and_an_untrained_one_is_named_so(out: Path) -> None:
    """A measure without weights has no file."""
    measured, untrained = results(out)["models"]

    assert 0 < measured["best"]["iou_micro"]["value"] < 1
    assert 0 < measured["cost"]["p50_ms"] <= measured["cost"]["p95_ms"]
    assert measured["size_bytes"] is None
    assert (untrained["missing"], untrained["best"], untrained["cost"]) == ("untrained", None, None)


def test_the_defect_models_that_ship_are_rows_with_cost_and_verdict(out: Path) -> None:
    """The model in service has none."""
    rows = {row["name"].partition("@")[0]: row for row in results(out)["defects"]}

    assert rows["defects-3"]["verdict"] is None
    assert rows["defects-2"]["verdict"]["reasons"]
    assert rows["defects-3"]["cost"]["p50_ms"] > 0
    assert 1 < rows["defects-3"]["cost"]["memory_mb"] < 300
    assert rows["defects-3"]["size_bytes"] > 1_000_000


def test_a_second_run_has_the_same_set_and_the_same_figures(photos: Path, out: Path, tmp_path: Path) -> None:
    """Time and memory alone may differ."""
    again = results(run_bench(photos, tmp_path, "absdiff").parent)

    assert again["pairs"] == results(out)["pairs"]
    assert [again["models"][0][name] for name in ("half", "best")] == [
        results(out)["models"][0][name] for name in ("half", "best")
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"photos": None}, "add --photos DIR"),
        ({"photos": Path("nowhere")}, "needs the columns file, tags, source and licence"),
        ({"models": "absdiff,no-such"}, "'no-such' is not one of absdiff, "),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_sentence(
    photos: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    """Before anything is measured."""
    given = {"photos": photos, "out": tmp_path / "out", "pairs": 16, "models": "absdiff", "json": False, **change}

    with pytest.raises(ConfigError, match=message) as refused:
        compare_bench.run(argparse.Namespace(**given))

    assert len(refused.value.problems) == 1
    assert not (tmp_path / "out").exists()


def test_a_photo_that_cannot_be_read_is_named(photos: Path, tmp_path: Path) -> None:
    """Missing, or no picture."""
    broken = shutil.copytree(photos, tmp_path / "photos")
    for file in broken.glob("*.jpg"):
        file.write_bytes(b"no picture")

    with pytest.raises(ConfigError, match=r"\.jpg, which index.csv lists, cannot be read"):
        run_bench(broken, tmp_path / "out", "absdiff")


@pytest.mark.parametrize("number", ["15", "-1", "many", "1e3", "9999999"])
def test_a_number_of_pairs_that_is_none_is_refused(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Below 16 a kind would be missing."""
    parser = argparse.ArgumentParser()
    add_compare(parser)

    with pytest.raises(SystemExit):
        parser.parse_args([f"--pairs={number}"])

    assert "write a whole number from 16 on" in capsys.readouterr().err


def test_the_cost_of_what_does_not_run_is_an_error_with_the_reason(tmp_path: Path) -> None:
    """The last line of its process."""
    frame = np.zeros((384, 512, 3), np.uint8)

    with pytest.raises(SystemFaultError, match=r"cannot be measured: .*no-such"):
        change_cost("no-such", [(frame, frame)])
    with pytest.raises(SystemFaultError, match=r"cannot be measured: .*LiteRT cannot load"):
        defect_cost(tmp_path, [frame])
