"""`culld segment` for clips: the overlay as other programs see it, its regions over time, and what is refused."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from culld.cli import main
from culld.records.regions import REGION_CLASSES, RegionClass
from culld.segment.picture import COLOURS

pytest.importorskip("av", reason="clips need the extra `video`")
from harness import overlay_clips
from harness.camera_clips import Encoding, encode
from harness.overlay_clips import frames_of, half_defocused, probe, sound_packets, tone_of, with_tone

SMALL = (256, 144)


def segment(clip: Path, out: Path, *options: str) -> int:
    """The exit code of the command."""
    return main(["segment", str(clip), "--out", str(out), *options])


def written(folder: Path, data: bytes, name: str = "a.mp4") -> Path:
    """The path of a clip with these bytes."""
    path = folder / name
    path.write_bytes(data)
    return path


def names(folder: Path) -> list[str]:
    """The names in a folder, hidden ones too."""
    return sorted(each.name for each in folder.iterdir())


def coloured(frame: np.ndarray, kinds: list[RegionClass]) -> np.ndarray:
    """The pixels of a frame that have the colour of one of these classes, bool (height, width)."""
    distances = [np.abs(frame.astype(int) - COLOURS[kind]).max(axis=2) for kind in kinds]
    return np.min(distances, axis=0) < 40


def test_frames_times_and_duration_are_those_of_the_clip(tmp_path: Path) -> None:
    """Of a clip with variable frame rate: long and short frames, in order."""
    times = (0, 20, 53, 87, 300, 333, 420, 800)
    clip = written(tmp_path, encode(half_defocused(SMALL, 8), Encoding(times=times, options={"bf": "0"})))

    assert segment(clip, tmp_path / "o.webm") == 0

    found, wanted = probe(tmp_path / "o.webm"), probe(clip)
    assert found.times == pytest.approx([each / 1000 for each in times], abs=0.0011)
    assert found.times == pytest.approx(wanted.times, abs=0.0011)
    assert found.seconds == pytest.approx(wanted.seconds, abs=0.0021)
    assert found.size == SMALL
    assert found.codecs == ["vp9"]


def test_a_turned_clip_stands_upright(tmp_path: Path) -> None:
    """A MOV whose pixels lie on their side, to be turned by 90 degrees clockwise: the overlay needs no turning."""
    lying = [np.asarray(frame).copy() for frame in half_defocused(SMALL, 5)]
    for frame in lying:
        frame[:, -60:] = (0, 200, 0)
    clip = written(tmp_path, encode(lying, Encoding(container="mov", rotation=90)), "a.mov")

    assert segment(clip, tmp_path / "o.webm") == 0

    found = probe(tmp_path / "o.webm")
    assert (found.size, found.rotation) == ((SMALL[1], SMALL[0]), 0)
    assert len(found.times) == 5
    first = frames_of(tmp_path / "o.webm")[0].astype(int)
    green = (first[..., 1] - first[..., 0] > 60).mean(axis=1)
    assert green[-40:].mean() > 0.5
    assert green[60:-80].mean() < 0.1


@pytest.mark.slow
def test_contours_are_drawn_where_the_clip_is_out_of_focus(tmp_path: Path) -> None:
    """Most in its left half, on frames that are a little darker; the legend names what is there."""
    clip = written(tmp_path, encode(half_defocused((1280, 720), 4, 9.0)))

    assert segment(clip, tmp_path / "o.webm") == 0

    last, before = frames_of(tmp_path / "o.webm")[-1], frames_of(clip)[-1]
    blurred = coloured(last, [RegionClass.DEFOCUS, RegionClass.MOTION])
    assert blurred[30:, :700].sum() > 500
    assert blurred[30:, 800:].sum() < 0.25 * blurred.sum(), "the network is wrong in places"
    assert coloured(last, [RegionClass.DEFOCUS])[:20, :30].sum() > 50
    assert np.median(last[300:]) == pytest.approx(np.median(before[300:]) / 1.5, abs=4)


@pytest.mark.parametrize(
    ("container", "codec", "name"),
    [("mov", "aac", "a.mov"), ("mpegts", "mp2", "a.m2ts"), ("avi", "pcm_s16le", "a.avi"), ("matroska", "ac3", "a.mkv")],
)
def test_sound_is_kept(tmp_path: Path, container: str, codec: str, name: str) -> None:
    """As Opus; it is as long as before, and the tone is the same."""
    silent = encode(half_defocused(SMALL, 30), Encoding(container, "mpeg4", options={}))
    clip = written(tmp_path, with_tone(silent, container, codec, 1.0), name)

    assert segment(clip, tmp_path / "o.webm") == 0

    seconds, frequency = tone_of(tmp_path / "o.webm")
    assert seconds == pytest.approx(1.0, abs=0.07)
    assert frequency == pytest.approx(overlay_clips.TONE, abs=3)
    found, wanted = probe(tmp_path / "o.webm"), probe(clip)
    assert found.codecs == ["opus", "vp9"]
    assert len(found.times) == len(wanted.times) == 30
    assert found.seconds == pytest.approx(wanted.seconds, abs=0.05)


@pytest.mark.parametrize("codec", ["libopus", "vorbis"])
def test_sound_that_webm_allows_is_copied(tmp_path: Path, codec: str) -> None:
    """Byte by byte."""
    silent = encode(half_defocused(SMALL, 12), Encoding(container="webm", codec="libvpx-vp9", options={}))
    clip = written(tmp_path, with_tone(silent, "matroska", codec, 0.4), "a.mkv")

    assert segment(clip, tmp_path / "o.webm") == 0

    assert sound_packets(tmp_path / "o.webm") == sound_packets(clip)


def test_json_has_shares_and_ranges_of_time(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Of a clip that is burnt out in its second half; it needs no overlay."""
    frames = list(half_defocused(SMALL, 60))
    clip = written(tmp_path, encode([*frames[:30], *(np.full_like(frame, 255) for frame in frames[30:])]))

    assert main(["segment", str(clip), "--json"]) == 0

    found = json.loads(capfd.readouterr().out)
    assert (found["width"], found["height"], found["frames"]) == (*SMALL, 60)
    assert found["seconds"] == pytest.approx(2, abs=0.01)
    assert set(found["shares"]) == set(REGION_CLASSES)
    assert found["shares"]["highlight"] == pytest.approx(0.5, abs=0.05)
    assert found["ranges"]["highlight"] == [[pytest.approx(1, abs=0.07), pytest.approx(2, abs=0.01)]]
    assert found["model"].startswith("segment-")
    assert "clipped highlight 50 %" in found["sentence"]
    assert names(tmp_path) == ["a.mp4"]


def test_no_file_is_replaced(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Not the clip, under another name neither, and no other file; a picture's name is refused as well."""
    data = encode(half_defocused(SMALL, 3), Encoding(container="webm", codec="libvpx-vp9", options={}))
    clip = written(tmp_path, data, "a.webm")
    (tmp_path / "link.webm").symlink_to(clip)
    other = written(tmp_path, b"mine", "b.webm")

    codes = [segment(clip, out) for out in (clip, tmp_path / "link.webm", other)]
    missing, picture = segment(clip, tmp_path / "no" / "o.webm"), segment(clip, tmp_path / "o.png")

    said = capfd.readouterr().err
    assert (codes, missing, picture) == ([3, 3, 3], 3, 2)
    assert said.count("is the clip itself") == 2
    assert "b.webm is there already; name another file" in said
    assert "no is missing; create it" in said
    assert "o.webm" in said
    assert clip.read_bytes() == data
    assert other.read_bytes() == b"mine"
    assert names(tmp_path) == ["a.webm", "b.webm", "link.webm"]


def test_a_clip_that_cannot_be_read_leaves_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Empty, half written, or no clip at all."""
    whole = encode(half_defocused(SMALL, 12))
    for data in (b"", whole[: len(whole) // 2], b"no clip at all"):
        clip = written(tmp_path, data)

        assert segment(clip, tmp_path / "o.webm") == 1

        assert "a.mp4: " in capfd.readouterr().err
        assert names(tmp_path) == ["a.mp4"]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_nothing_is_left_of_an_overlay_that_is_interrupted(tmp_path: Path, number: int, code: int) -> None:
    """By a signal in the middle of the clip."""
    clip = written(tmp_path, encode(half_defocused((640, 360), 240)))
    command = [sys.executable, "-m", "culld", "segment", str(clip), "--out", str(tmp_path / "o.webm")]
    started = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not any(each.stat().st_size > 10_000 for each in tmp_path.glob(".culld-*.tmp")):
        assert started.poll() is None, started.stderr
        time.sleep(0.02)

    started.send_signal(number)
    _, said = started.communicate(timeout=60)

    assert started.returncode == code
    assert "Traceback" not in said
    assert names(tmp_path) == ["a.mp4"]


@pytest.mark.slow
def test_nothing_is_left_of_an_overlay_for_which_there_is_no_room(tmp_path: Path) -> None:
    """One sentence names the file; the limit of file sizes takes the place of a full disk."""
    clip = written(tmp_path, encode(half_defocused((640, 360), 60)))

    done = subprocess.run(
        [sys.executable, "-m", "culld", "segment", str(clip), "--out", str(tmp_path / "o.webm")],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 3
    assert "o.webm cannot be written: " in done.stderr
    assert "Traceback" not in done.stderr
    assert names(tmp_path) == ["a.mp4"]
