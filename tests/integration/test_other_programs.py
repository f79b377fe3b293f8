"""Other programs read what culld wrote: in photos, in new sidecars, and in sidecars of their own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from culld.imaging.formats import HEAD_BYTES, recognise
from culld.records import Edit, Scores, Verdict
from culld.stages.read.exif_facts import keyword_block
from culld.tags.edits import apply_edits
from culld.tags.embedded import embedded_edits
from culld.tags.own_properties import DecisionProperties
from culld.tags.sidecar import sidecar_edits
from harness import images
from harness.factories import NOON, rules

RECORD = DecisionProperties(Scores(0.98, 0.0, 0.25), rules(), Verdict.TAG, "model@1", NOON, "0.1.0")
PHOTOS = {name.removeprefix("0-"): data for name, data in images.generated(1) if "pages" not in name}


def tag_edits(photo: bytes, keywords: tuple[str, ...]) -> tuple[Edit, ...]:
    """Return culld's edits of a photo."""
    return embedded_edits(photo, recognise(photo[:HEAD_BYTES]), keywords, build_exif=keyword_block)


def listed(program: str, file: Path) -> str:
    """The keywords that a program finds in a file."""
    command = images.READERS[program]
    if shutil.which(command[0]) is None:
        package = {"exiftool": "libimage-exiftool-perl"}.get(program, program)
        pytest.skip(f"needs {program} (apt install {package})")
    return subprocess.run([*command, file], capture_output=True, check=True, text=True).stdout


@pytest.mark.parametrize("program", images.READERS)
@pytest.mark.parametrize("name", PHOTOS)
def test_keywords_in_a_photo_are_read(tmp_path: Path, program: str, name: str) -> None:
    """From the XMP packet of every kind of file."""
    old = PHOTOS[name]
    file = tmp_path / name
    file.write_bytes(apply_edits(old, tag_edits(old, ("defect:blur", "defect:overexposed"))))

    found = listed(program, file)

    assert "defect:blur" in found
    assert "defect:overexposed" in found


@pytest.mark.parametrize("program", images.READERS)
@pytest.mark.parametrize("whose", [None, *images.SIDECARS])
def test_keywords_in_a_sidecar_are_read(tmp_path: Path, program: str, whose: str | None) -> None:
    """And those that were there before, too."""
    old = None if whose is None else images.SIDECARS[whose]
    file = tmp_path / "a.jpg.xmp"
    file.write_bytes(apply_edits(old or b"", sidecar_edits(old, ("defect:blur",), RECORD)))

    found = listed(program, file)

    assert "defect:blur" in found
    assert ("night" in found, "harbour" in found) == (whose == "darktable", whose == "digiKam")


@pytest.mark.parametrize("name", ["plain.jpg", "exif.jpg", "plain.tif"])
def test_windows_finds_its_keywords(tmp_path: Path, name: str) -> None:
    """In the field that the Explorer shows as tags, as exiftool reads it."""
    if shutil.which("exiftool") is None:
        pytest.skip("needs exiftool (apt install libimage-exiftool-perl)")
    old = PHOTOS[name]
    file = tmp_path / name
    file.write_bytes(apply_edits(old, tag_edits(old, ("defect:blur",))))

    done = subprocess.run(["exiftool", "-XPKeywords", file], capture_output=True, check=True, text=True)

    assert done.stdout.split(" : ")[1].strip() == "defect:blur"
