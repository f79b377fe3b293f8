"""`culld compare` as a command, on files that the tests draw."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter

from harness import factories

COMMAND = Path(sys.executable).with_name("culld")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "compare.md"
SIZE = (1200, 800)
SHARP = factories.picture(5, size=SIZE)
JPEG = factories.encoded(SHARP, quality=92)


def culld(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `culld compare` in a folder."""
    words = [COMMAND, "compare", *arguments]
    return subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True, env={"HOME": str(folder)})


def told(folder: Path, first: str, second: str) -> dict[str, object]:
    """The JSON of a comparison that succeeds."""
    done = culld(folder, first, second, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def documented() -> list[str]:
    """The commands of docs/compare.md, without comments."""
    (block,) = re.findall(r"^```sh compare\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [line.split("  #")[0].strip() for line in block.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("line", documented())
def test_the_commands_of_the_page_run(line: str, tmp_path: Path) -> None:
    """Each as it stands, on two photos of one scene."""
    for number, picture in enumerate((SHARP, changed()), start=1):
        (tmp_path / f"IMG_{number}.jpg").write_bytes(factories.encoded(picture, quality=92))

    done = culld(tmp_path, *shlex.split(line)[2:])

    assert done.returncode == 0, done.stderr
    assert done.stdout


def changed() -> Image.Image:
    """The picture out of focus, with a ball at the bottom right."""
    soft = SHARP.filter(ImageFilter.GaussianBlur(2))
    ImageDraw.Draw(soft).ellipse((900, 560, 1080, 740), fill=(230, 20, 40))
    return soft


@pytest.mark.slow
def test_two_photos_are_compared_without_a_configuration_and_left_alone(tmp_path: Path) -> None:
    """A sentence, a picture, and JSON."""
    other = factories.encoded(changed(), quality=90)
    (tmp_path / "a.jpg").write_bytes(JPEG)
    (tmp_path / "b.jpg").write_bytes(other)

    done = culld(tmp_path, "a.jpg", "b.jpg", "--out", "c.png")
    found = told(tmp_path, "a.jpg", "b.jpg")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("a.jpg is sharper (edges ")
    assert done.stdout.endswith("of the scene differs (bottom right).\n")
    with Image.open(tmp_path / "c.png") as image:
        assert (image.format, image.width) == ("PNG", 1544)
    assert found["comparable"] is True
    assert (found["sharper"], found["model"]) == ("first", "content")
    assert found["first"] == str(tmp_path / "a.jpg")
    assert found.keys() >= {"reason", "alignment", "changed", "sharpness_ratio", "exposure_ev", "sharper_where"}
    assert (tmp_path / "a.jpg").read_bytes() == JPEG
    assert (tmp_path / "b.jpg").read_bytes() == other


@pytest.mark.slow
def test_the_same_file_twice_is_the_same(tmp_path: Path) -> None:
    """No winner and no change."""
    (tmp_path / "a.jpg").write_bytes(JPEG)

    done = culld(tmp_path, "a.jpg", "a.jpg")

    assert done.returncode == 0, done.stderr
    assert done.stdout == "Both are equally sharp, equally bright, and their content is the same.\n"


@pytest.mark.slow
def test_size_format_and_orientation_of_both_photos_may_differ(tmp_path: Path) -> None:
    """A portrait by EXIF orientation against a smaller PNG that is upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    portrait = SHARP.transpose(Image.Transpose.ROTATE_270)
    (tmp_path / "a.jpg").write_bytes(factories.encoded(SHARP, quality=92, exif=exif))
    (tmp_path / "b.png").write_bytes(factories.encoded(portrait.resize((600, 900), Image.Resampling.BOX), "PNG"))

    found = told(tmp_path, "a.jpg", "b.png")

    assert found["sharper"] == "same"
    assert isinstance(found["changed"], float)
    assert found["changed"] < 0.005
    assert found["exposure_ev"] == pytest.approx(0, abs=0.1)


@pytest.mark.slow
def test_what_cannot_be_compared_is_told_in_one_line(tmp_path: Path) -> None:
    """Unrelated, missing, broken, tiny and huge photos, wrong options, and a picture that would replace a photo."""
    (tmp_path / "a.jpg").write_bytes(JPEG)
    (tmp_path / "other.jpg").write_bytes(factories.encoded(factories.picture(77, size=SIZE)))
    (tmp_path / "cut.jpg").write_bytes(JPEG[: len(JPEG) // 2])
    (tmp_path / "text.jpg").write_bytes(b"no photo")
    (tmp_path / "tiny.png").write_bytes(factories.encoded(SHARP.resize((20, 12)), "PNG"))
    (tmp_path / "grey.png").write_bytes(factories.encoded(Image.new("RGB", SIZE, "grey"), "PNG"))
    (tmp_path / "huge.png").write_bytes(factories.encoded(Image.new("1", (20000, 16000)), "PNG"))

    for code, arguments, words in (
        (1, ["a.jpg", "other.jpg"], "photos"),
        (1, ["a.jpg", "grey.png"], "shows too little"),
        (1, ["tiny.png", "a.jpg"], "too small"),
        (1, ["a.jpg", "none.jpg"], "culld: none.jpg: "),
        (1, ["a.jpg", "cut.jpg"], "culld: cut.jpg: damaged or incomplete"),
        (1, ["text.jpg", "a.jpg"], "culld: text.jpg: not a photo"),
        (1, ["a.jpg", "huge.png"], "more than limits.pixels allows"),
        (2, ["a.jpg"], "needs two photos: culld compare A B"),
        (2, ["a.jpg", "a.jpg", "--model", "none"], "model: 'none' is not one of"),
        (3, ["a.jpg", "a.jpg", "--model", "siamese-vgg16"], "siamese-vgg16 is untrained"),
        (3, ["a.jpg", "a.jpg", "--out", "a.jpg"], "a.jpg is one of the photos"),
        (3, ["a.jpg", "a.jpg", "--out", "nowhere/c.png"], "cannot be written"),
    ):
        done = culld(tmp_path, *arguments)
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        assert words in said
        assert "Traceback" not in said
        assert len(said.splitlines()) == 1, said
    assert (tmp_path / "a.jpg").read_bytes() == JPEG


@pytest.mark.slow
def test_unrelated_photos_are_json_with_the_reason(tmp_path: Path) -> None:
    """The exit code is 1."""
    (tmp_path / "a.jpg").write_bytes(JPEG)
    (tmp_path / "other.jpg").write_bytes(factories.encoded(factories.picture(77, size=SIZE)))

    done = culld(tmp_path, "a.jpg", "other.jpg", "--json")

    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert (found["comparable"], found["alignment"]) == (False, None)
    assert found["reason"] == found["sentence"]
