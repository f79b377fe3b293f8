"""Clips in the installed daemon: judged by `policy.clips`, kept whole over kills, and brought back."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av", reason="clips need the extra `video`")

from harness import camera_clips, factories, scenes
from harness.camera_clips import Encoding, Shot
from harness.daemon_process import House

POLICY = """\
watch:
  - path: inbox
quarantine: quarantine
state: state
settle: {quiet: 500ms}
batch: {wait: 300ms}
rescan: 2s
workers: 1
policy:
  mode: enforce
  brake: {max_share: never}
"""
CLIPS = POLICY + "  clips: {tag: 0.5, reject: 0.8}\n"
RATE = 15
WAIT_S = 150.0
"""A clip takes seconds, and minutes on a machine that has much else to do."""
SHAKEN = {"shake": 0.03, "defocus": 0.02}
BLURRED = factories.encoded(factories.blurred(factories.picture(1)), quality=92)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A picture with detail everywhere."""
    return np.asarray(scenes.picture(scenes.Scene(4, size=(960, 720))).convert("RGB"))


def drawn(picture: np.ndarray, *, bad: bool = False, live: bool = False, seed: int = 1) -> bytes:
    """A clip of a second and a half, without a defect or shaken out of focus; a movie of a Live Photo has its key."""
    shot = Shot(seconds=1.5, rate=RATE, seed=seed, **(SHAKEN if bad else {}))
    key = {"com.apple.quicktime.content.identifier": "5F0A"} if live else {}
    encoding = Encoding(container="mov" if live else "mp4", rate=RATE, metadata=key)
    return camera_clips.encode(camera_clips.frames(picture, shot), encoding)


@pytest.fixture(scope="module")
def clean(picture: np.ndarray) -> bytes:
    """A clip without a defect."""
    return drawn(picture)


@pytest.fixture(scope="module")
def shaken(picture: np.ndarray) -> bytes:
    """A clip that is shaken and out of focus."""
    return drawn(picture, bad=True)


@pytest.fixture(scope="module")
def live(picture: np.ndarray) -> bytes:
    """The movie of a Live Photo, which would be rejected."""
    return drawn(picture, bad=True, live=True)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """An empty house that judges clips."""
    os.environ.pop("CULLD_CONFIG", None)
    return House(tmp_path).build(CLIPS)


def digests(folder: Path) -> dict[str, str]:
    """The clips and photos below a folder with the digests of their bytes."""
    found = (path for path in folder.rglob("*") if path.suffix in {".mp4", ".mov", ".jpg"})
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def why(house: House, name: str) -> dict[str, object]:
    """The explanation of the last decision about a file; empty without one."""
    done = house.run("why", "--json", str(house.inbox / name))
    return json.loads(done.stdout) if done.returncode == 0 else {}


def verdict(house: House, name: str) -> object:
    """The last verdict about a file; None without one."""
    return why(house, name).get("verdict")


@contextmanager
def killed(house: House) -> Iterator[None]:
    """A daemon that is killed with SIGKILL at the end of the block."""
    with house.daemon() as process:
        yield
        process.send_signal(signal.SIGKILL)
        process.wait(20)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_clips_are_judged_whole_over_kills_and_brought_back(
    house: House, clean: bytes, shaken: bytes, live: bytes
) -> None:
    """A good one stays, a bad one is moved with its sidecar, a half-written one and a growing one wait.

    The movie of a Live Photo that came before its photo is moved with the photo, and never by itself.
    """
    house.drop("clean.mp4", clean)
    house.drop("shaken.mp4", shaken)
    house.drop("half.mp4", shaken[: len(shaken) // 2])
    house.drop("IMG_1.mov", live)
    with killed(house):
        house.wait_until(lambda: verdict(house, "clean.mp4") is not None, "the first verdict", WAIT_S)

    with (house.inbox / "grows.mp4").open("wb") as growing:
        growing.write(shaken[: len(shaken) // 2])
        growing.flush()
        with killed(house):
            house.wait_until((house.quarantine / "shaken.mp4").exists, "the quarantine of the shaken clip", WAIT_S)
            house.wait_until(lambda: verdict(house, "IMG_1.mov") == "keep", "the verdict on the movie", WAIT_S)
            house.drop("IMG_1.jpg", BLURRED)
            house.wait_until((house.quarantine / "IMG_1.mov").exists, "the quarantine of the Live Photo", WAIT_S)
            assert (house.inbox / "half.mp4").exists()
            assert (house.inbox / "grows.mp4").exists()
        growing.write(shaken[len(shaken) // 2 :])
    with house.daemon():
        house.wait_until((house.quarantine / "grows.mp4").exists, "the quarantine of the grown clip", WAIT_S)
        (house.inbox / "half.mp4").write_bytes(shaken)
        house.wait_until((house.quarantine / "half.mp4").exists, "the quarantine of the completed clip", WAIT_S)

    moved = digests(house.quarantine)
    whole = hashlib.sha256(shaken).hexdigest()
    assert {name: moved.get(name) for name in ("shaken.mp4", "grows.mp4", "half.mp4")} == dict.fromkeys(
        ("shaken.mp4", "grows.mp4", "half.mp4"), whole
    )
    assert moved["IMG_1.mov"] == hashlib.sha256(live).hexdigest()
    assert "defect:blur" in (house.quarantine / "shaken.mp4.xmp").read_text()
    assert digests(house.inbox).keys() == {"clean.mp4"}
    assert why(house, "shaken.mp4")["rule"] == "policy.clips.reject"

    house.culld("restore", "--all")

    back = digests(house.inbox)
    assert back.keys() == {"clean.mp4", "shaken.mp4", "half.mp4", "grows.mp4", "IMG_1.mov", "IMG_1.jpg"}
    assert {back[name] for name in ("shaken.mp4", "half.mp4", "grows.mp4")} == {whole}
    assert (back["clean.mp4"], back["IMG_1.mov"]) == (
        hashlib.sha256(clean).hexdigest(),
        hashlib.sha256(live).hexdigest(),
    )
    assert house.culld("once").strip() == "nothing new"
    assert digests(house.quarantine) == {}


@pytest.mark.slow
def test_one_pass_judges_clips_after_the_photos_and_says_why(house: House, clean: bytes, shaken: bytes) -> None:
    """In `why`, in the log and in the report, with the shares of the time."""
    house.drop("a/clean.mp4", clean)
    house.drop("a/shaken.mp4", shaken)
    house.drop("z/photo.jpg", BLURRED)

    assert house.culld("once").strip() == "1 kept, 2 quarantined"

    log = [line.split()[3] for line in house.culld("log").splitlines()]
    assert log == ["z/photo.jpg", "a/clean.mp4", "a/shaken.mp4"]
    text = house.culld("why", str(house.inbox / "a/shaken.mp4"))
    assert "blur 1.00 of the time is at least 0.8 (policy.clips.reject)" in text
    assert "clip        review: blurred 100 %, shaken" in text
    assert "clips tag 0.5 reject 0.8" in text
    assert "clips" in house.culld("report")
    assert json.loads(house.culld("once", "--json"))["known"] == 0


@pytest.mark.slow
def test_without_the_key_clips_are_not_looked_at(house: House, shaken: bytes) -> None:
    """And a clip that is switched off in its folder stays as well."""
    house.drop("shaken.mp4", shaken)
    for policy in (POLICY, CLIPS.replace("path: inbox", "path: inbox\n    clips: never")):
        house.config.write_text(policy)

        assert house.culld("once").strip() == "nothing new"

    assert digests(house.inbox).keys() == {"shaken.mp4"}


WITHOUT_PYAV = "import sys; sys.modules['av'] = None; del sys.argv[0]; from culld.cli import main; sys.exit(main())"


@pytest.mark.slow
def test_without_the_extra_photos_go_on_and_one_line_says_what_to_install(house: House, shaken: bytes) -> None:
    """At the start, in `policy check`, and in `doctor`; the clip stays."""
    bare = replace(house, before=(sys.executable, "-c", WITHOUT_PYAV))
    bare.drop("shaken.mp4", shaken)
    bare.drop("photo.jpg", BLURRED)
    line = "policy.clips is set, but no clip is judged without the extra `video`"

    with bare.daemon():
        bare.wait_until((bare.quarantine / "photo.jpg").exists, "the quarantine of the photo", WAIT_S)

    assert f"{line}: run pip install 'culld[video]'" in bare.log()
    assert f"note        {line}: run pip install 'culld[video]'" in bare.culld("policy", "check", str(bare.config))
    assert line in bare.run("doctor").stdout
    assert digests(bare.inbox).keys() == {"shaken.mp4"}
    assert "note " not in house.culld("policy", "check", str(house.config))
