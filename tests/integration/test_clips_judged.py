"""Clips by a camera model are judged right: shaken, defocused, dark, clipped, covered, frozen, clean."""

from __future__ import annotations

import functools
import io
import json
import subprocess
import sys
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from culld.app.clip_messages import ClipRequest, ClipSettings
from culld.app.clip_worker import ClipWorker
from culld.errors import PhotoError
from culld.imaging.decode import frame_of
from culld.imaging.image_file import DecodeLimits
from culld.records import RootedPath, Scores
from culld.records.clips import ClipJudgement, ClipVerdict, Transfer
from culld.segment.clips.judge import scores_of
from culld.segment.clips.judged_clip import judged_clip
from culld.stages.read.scoring import open_litert, score
from harness import scenes
from harness.camera_clips import Encoding, Shot, encode, frames

MODEL = Path(__file__).resolve().parents[2] / "models" / "defects"
SHOT = Shot(seconds=2.5, size=(480, 270))
MIB = 1 << 20


@functools.cache
def picture(seed: int = 3) -> np.ndarray:
    """A drawn landscape."""
    return np.asarray(scenes.picture(scenes.Scene(seed)))


@functools.lru_cache(maxsize=3)
def shot(part: Shot, seed: int = 3) -> tuple[np.ndarray, ...]:
    """The frames of a shot."""
    return tuple(frames(picture(seed), part))


@functools.cache
def network() -> object:
    """The shipped defect network."""
    return open_litert(MODEL / "model.tflite")


def judged(data: bytes) -> ClipJudgement:
    """The judgement of a clip."""
    return judged_clip(io.BytesIO(data), lambda pixels: score(network(), frame_of(pixels)), DecodeLimits())  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [3, 4, 9])
def test_a_clean_clip_is_kept(seed: int) -> None:
    """Held by hand, and panned slowly."""
    found = judged(encode(shot(SHOT, seed)))

    assert found.verdict is ClipVerdict.KEEP, found.sentence
    assert found.good == (0.0, pytest.approx(2.5, abs=0.05))
    assert set(found.shares.values()) == {0.0}


@pytest.mark.parametrize(
    ("change", "defect"),
    [
        ({"shake": 0.015}, "shake"),
        ({"defocus": 0.012}, "blur"),
        ({"stops": -5.0}, "under"),
        ({"stops": 3.0}, "over"),
        ({"stops": -20.0}, "black"),
    ],
)
@pytest.mark.parametrize("seed", [3, 4])
def test_a_spoilt_clip_has_its_defect_all_the_time(change: dict[str, float], defect: str, seed: int) -> None:
    """And none of another group."""
    found = judged(encode(shot(replace(SHOT, **change), seed)))

    assert found.shares[defect] > 0.8, found.sentence
    assert found.verdict is ClipVerdict.REVIEW
    others = {"shake": {"blur"}, "blur": set(), "under": set(), "over": set(), "black": set()}[defect]
    assert all(not share for name, share in found.shares.items() if name not in {defect, "any", *others})


def test_a_clip_that_starts_shaken_is_trimmed_to_its_good_range() -> None:
    """Two seconds of each."""
    steady = shot(replace(SHOT, seconds=3.0))
    found = judged(encode(chain(shot(replace(SHOT, seconds=2.0, shake=0.02)), steady)))

    assert found.verdict is ClipVerdict.TRIM
    assert found.good is not None
    assert found.good == (pytest.approx(2.4, abs=0.45), pytest.approx(5.0, abs=0.05))


def test_a_picture_that_stands_still_is_frozen_and_one_on_a_tripod_is_not() -> None:
    """The noise of the sensor moves on, as long as the encoder keeps it."""
    fine = Encoding(options={"crf": "12", "preset": "veryfast", "g": "30"})
    moving = shot(replace(SHOT, seconds=1.0))
    still = judged(encode(chain(moving, [moving[-1]] * 90, moving), fine))
    tripod = judged(encode(shot(replace(SHOT, pan=0.0, shake=0.0, noise=3.0, seconds=4.0)), fine))

    assert still.shares["frozen"] == pytest.approx(0.6, abs=0.1)
    assert tripod.shares["frozen"] == 0.0
    assert tripod.verdict is ClipVerdict.KEEP


@pytest.mark.parametrize(("code", "transfer"), [(18, Transfer.HLG), (16, Transfer.PQ)])
def test_the_exposure_of_hdr_is_not_judged(code: int, transfer: Transfer) -> None:
    """Its levels mean other light; blur and shake are judged as ever."""
    dark = judged(encode(shot(replace(SHOT, stops=-5.0)), Encoding(transfer=code)))

    assert dark.facts.transfer is transfer
    assert dark.verdict is ClipVerdict.KEEP
    assert {(sample.under, sample.over) for sample in dark.samples} == {(None, None)}
    assert scores_of(dark) == Scores(0.0, 0.0, 0.0)


def test_a_portrait_is_judged_as_it_stands() -> None:
    """Rotation changes no verdict."""
    found = judged(encode(shot(SHOT), Encoding("mov", rotation=90)))

    assert (found.facts.width, found.facts.height) == (270, 480)
    assert found.verdict is ClipVerdict.KEEP


def test_a_cut_is_no_shake() -> None:
    """Two scenes after each other."""
    found = judged(encode(chain(shot(SHOT, 3), shot(SHOT, 9))))

    assert found.shares["shake"] == 0.0, [sample.shake for sample in found.samples]


def test_the_worker_answers_with_the_judgement_or_the_reason(tmp_path: Path) -> None:
    """The file is left alone."""
    worker = ClipWorker(ClipSettings(MODEL, 250_000_000))
    data = encode(shot(SHOT))
    (tmp_path / "a.mp4").write_bytes(data)
    (tmp_path / "half.mp4").write_bytes(data[: len(data) // 2])

    found = worker.judge(ClipRequest(RootedPath(tmp_path, Path("a.mp4"))))
    refused = worker.judge(ClipRequest(RootedPath(tmp_path, Path("half.mp4"))))

    assert isinstance(found, ClipJudgement)
    assert found.verdict is ClipVerdict.KEEP
    assert isinstance(refused, PhotoError)
    assert str(refused).startswith("not complete")
    assert (tmp_path / "a.mp4").read_bytes() == data


PEAK = r"""
import json, re, sys
from pathlib import Path
from culld.app.clip_messages import ClipRequest, ClipSettings
from culld.app.clip_worker import ClipWorker
from culld.records import RootedPath, Scores

class Quick(ClipWorker):  # the network needs the same memory for every sample
    def _score(self, pixels):
        super()._score(pixels) if not hasattr(self, "asked") else None
        self.asked = True
        return Scores(0.0, 0.0, 0.0)

file = Path(sys.argv[1])
found = Quick(ClipSettings(Path(sys.argv[2]), 250_000_000)).judge(ClipRequest(RootedPath(file.parent, Path(file.name))))
# of this process alone: the ru_maxrss of a new one starts with that of its parent
peak = int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) << 10
print(json.dumps([found.facts.seconds, len(found.samples), peak]))
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_memory_does_not_grow_with_the_length_of_a_clip(tmp_path: Path) -> None:
    """Ten minutes in 720p hold at most 500 MB, and hardly more than half a minute; the peak is that of the process."""
    few = shot(replace(SHOT, seconds=0.5, size=(1280, 720)))
    quick = Encoding(rate=5, options={"crf": "30", "preset": "ultrafast"})
    peaks = []
    for seconds in (30, 600):
        file = tmp_path / f"{seconds}.mp4"
        file.write_bytes(encode((few[number % len(few)] for number in range(5 * seconds)), quick))
        done = subprocess.run(
            [sys.executable, "-c", PEAK, file, MODEL], check=True, capture_output=True, text=True, timeout=800
        )
        length, samples, peak = json.loads(done.stdout)
        assert length == pytest.approx(seconds, abs=1)
        assert samples >= 2 * seconds
        peaks.append(peak)

    assert peaks[1] < 500e6
    assert peaks[1] - peaks[0] < 30 * MIB
