"""`culld score` of clips as a command, on clips of a camera model."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness import factories, scenes
from harness.camera_clips import Shot, encode, frames

COMMAND = Path(sys.executable).with_name("culld")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "clips.md"
SHOT = Shot(seconds=3.0, size=(480, 270))
PHOTO = factories.encoded(factories.picture(1))
SCORES = {"path", "blur", "under", "over", "verdict", "reason", "model"}
KEYS = SCORES | {"format", "seconds", "samples", "shares", "shake", "black", "frozen", "good", "sentence"}


def culld(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run culld in a folder without a configuration."""
    environment = {"HOME": str(folder), **environment}
    return subprocess.run(
        [COMMAND, *arguments], cwd=folder, check=False, capture_output=True, text=True, env=environment
    )


@pytest.fixture(scope="module")
def trimmed() -> bytes:
    """A clip that is shaken, and then good."""
    picture = np.asarray(scenes.picture(scenes.Scene(3)))
    return encode(chain(frames(picture, replace(SHOT, seconds=1.5, shake=0.02)), frames(picture, SHOT)))


def documented() -> list[str]:
    """The commands of docs/clips.md, without comments."""
    (block,) = re.findall(r"^```sh clips\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [line.split("  #")[0].strip() for line in block.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("line", documented())
def test_the_commands_of_the_page_run(line: str, tmp_path: Path, trimmed: bytes) -> None:
    """Each as it stands."""
    (tmp_path / "IMG_1.mp4").write_bytes(trimmed)
    (tmp_path / "IMG_2.jpg").write_bytes(PHOTO)

    done = culld(tmp_path, *shlex.split(line)[1:])

    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.slow
def test_photos_and_clips_are_scored_in_their_order_and_left_alone(tmp_path: Path, trimmed: bytes) -> None:
    """A clip that cannot be read is one line, and the exit status."""
    files = {"a.jpg": PHOTO, "b.mp4": trimmed, "c.jpg": PHOTO[:-1] + b"\xd9", "d.MOV": trimmed[:5000], "e.avi": b""}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)

    done = culld(tmp_path, "score", "--json", *files)
    told = {Path(line["path"]).name: line for line in map(json.loads, done.stdout.splitlines())}

    assert done.returncode == 1
    assert list(told) == list(files)
    assert told["a.jpg"].keys() & {"format", "samples"} == set()
    assert KEYS <= told["b.mp4"].keys()
    assert told["b.mp4"]["format"] == "clip"
    assert told["b.mp4"]["verdict"] == "trim"
    assert told["b.mp4"]["good"] == [pytest.approx(2.0, abs=0.6), pytest.approx(4.5, abs=0.05)]
    assert told["b.mp4"]["reason"] == told["b.mp4"]["sentence"]
    assert told["b.mp4"]["blur"] >= told["b.mp4"]["shares"]["shake"] > 0.2
    assert told["b.mp4"]["model"] == told["a.jpg"]["model"]
    assert [sample["at"] for sample in told["b.mp4"]["samples"]][:3] == [0.0, 0.5, 1.0]
    assert told["d.MOV"]["verdict"] == told["e.avi"]["verdict"] == "unreadable"
    assert told["d.MOV"]["reason"].startswith("not complete: the clip lacks its last ")
    assert told["e.avi"]["reason"] == "empty: the clip has 0 bytes"
    digests = {name: hashlib.sha256((tmp_path / name).read_bytes()).digest() for name in files}
    assert digests == {name: hashlib.sha256(data).digest() for name, data in files.items()}


@pytest.mark.slow
def test_clips_below_a_folder_are_not_judged(tmp_path: Path, trimmed: bytes) -> None:
    """One takes as long as hundreds of photos, so it must be named."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(PHOTO)
    (tmp_path / "in" / "b.mp4").write_bytes(trimmed)

    assert len(culld(tmp_path, "score", "in").stdout.splitlines()) == 1


@pytest.mark.slow
def test_the_plot_is_a_picture_of_one_clip(tmp_path: Path, trimmed: bytes) -> None:
    """It never replaces the clip, and is refused for photos."""
    (tmp_path / "a.mp4").write_bytes(trimmed)
    (tmp_path / "a.jpg").write_bytes(PHOTO)

    done = culld(tmp_path, "score", "a.mp4", "--plot", "a.png")
    over = culld(tmp_path, "score", "a.mp4", "--plot", "a.mp4")
    photo = culld(tmp_path, "score", "a.jpg", "--plot", "b.png")

    assert done.returncode == 0
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.format == "PNG"
        assert np.asarray(picture).std() > 10
    assert over.returncode == 3
    assert (tmp_path / "a.mp4").read_bytes() == trimmed
    assert (photo.returncode, photo.stderr) == (2, "culld: --plot needs one clip, and nothing else, as PATH\n")
    assert not (tmp_path / "b.png").exists()


@pytest.mark.slow
def test_without_the_extra_one_sentence_names_it(tmp_path: Path, trimmed: bytes) -> None:
    """Photos of the same call are scored."""
    (tmp_path / "missing").mkdir()
    (tmp_path / "missing" / "av.py").write_text("raise ModuleNotFoundError(\"No module named 'av'\", name='av')\n")
    (tmp_path / "a.mp4").write_bytes(trimmed)
    (tmp_path / "b.jpg").write_bytes(PHOTO)

    done = culld(tmp_path, "score", "--json", "a.mp4", "b.jpg", PYTHONPATH=str(tmp_path / "missing"))
    clip, photo = map(json.loads, done.stdout.splitlines())

    assert done.returncode == 1
    assert clip["verdict"] == "unreadable"
    assert clip["reason"] == "clips can only be read with the extra `video` installed: pip install 'culld[video]'"
    assert photo["verdict"] == "keep"
    assert "Traceback" not in done.stderr
