"""`culld explain` and `culld why --picture` as commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from culld.records.regions import REGION_CLASSES
from harness import factories
from harness.daemon_process import House

COMMAND = Path(sys.executable).with_name("culld")
BLURRED = factories.encoded(factories.blurred(factories.picture(1)), quality=92)


def explain(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    home = {"HOME": str(folder)}
    words = [COMMAND, "explain", *arguments]
    return subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True, env=home)


def is_png(file: Path) -> bool:
    """Whether Pillow reads a PNG there."""
    with Image.open(file) as image:
        return image.format == "PNG"


@pytest.mark.slow
def test_a_photo_is_explained_without_a_configuration_and_left_alone(tmp_path: Path) -> None:
    """A sentence, a picture, and the map as JSON."""
    (tmp_path / "a.jpg").write_bytes(BLURRED)

    done = explain(tmp_path, "a.jpg", "--out", "a.png")
    told = json.loads(explain(tmp_path, "a.jpg", "--head", "blur", "--method", "gradcam", "--json").stdout)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("blur: strongest at ")
    assert is_png(tmp_path / "a.png")
    assert (told["head"], told["method"]) == ("blur", "gradcam")
    assert (told["map"]["width"], told["map"]["height"]) == (32, 24)
    assert len(told["map"]["values"]) == 24
    assert {"probability", "logit", "sentence", "strongest", "share"} <= told.keys()
    assert (tmp_path / "a.jpg").read_bytes() == BLURRED


@pytest.mark.slow
def test_what_cannot_be_explained_is_said_in_one_line(tmp_path: Path) -> None:
    """A missing file, no photo, no face, and a picture that would replace the photo."""
    (tmp_path / "a.jpg").write_bytes(BLURRED)
    (tmp_path / "text.jpg").write_bytes(b"no photo")

    for code, arguments, words in (
        (1, ["none.jpg"], "none.jpg"),
        (1, ["text.jpg"], "text.jpg"),
        (1, ["a.jpg", "--head", "focus"], "no face that can be measured was found"),
        (3, ["a.jpg", "--out", "a.jpg"], "a.jpg is the photo itself"),
        (3, ["a.jpg", "--out", "nowhere/a.png"], "cannot be written"),
        (2, ["a.jpg", "--head", "noise"], "invalid choice"),
    ):
        done = explain(tmp_path, *arguments)
        assert done.returncode == code, done.stderr
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    assert (tmp_path / "a.jpg").read_bytes() == BLURRED


@pytest.mark.slow
def test_why_writes_the_heat_map_of_the_main_defect_and_the_regions_beside_it(house: House) -> None:
    """Also of a photo that was moved to quarantine; with `--json` the regions are in the answer."""
    house.drop("a.jpg", BLURRED)
    house.culld("once")
    picture = house.inbox.parent / "why.png"

    told = house.culld("why", str(house.inbox / "a.jpg"), "--picture", str(picture))
    found = json.loads(house.culld("why", str(house.inbox / "a.jpg"), "--json", "--picture", str(picture)))
    plain = json.loads(house.culld("why", str(house.inbox / "a.jpg"), "--json"))

    assert "verdict     quarantine" in told
    assert "heat map    blur: strongest at " in told
    assert f"regions     {found['regions']['sentence']}" in told
    assert found["heat_map"]["head"] == "blur"
    assert found["regions"]["shares"].keys() == set(REGION_CLASSES)
    assert "regions" not in plain
    with Image.open(picture) as image:
        assert image.format == "PNG"
        assert image.width > 2 * min(1280, found["regions"]["width"])
