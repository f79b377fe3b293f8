"""The memory that the overlay of a clip takes does not depend on the length of the clip."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("av", reason="clips need the extra `video`")
from harness.camera_clips import Encoding, encode
from harness.overlay_clips import half_defocused, with_tone

SIZE = (480, 270)
FRAMES = 400
MEASURED = """
import os, sys
from pathlib import Path

import numpy as np

from culld.imaging.clip_reader import open_clip
from culld.imaging.clip_writer import PieceSink
from culld.imaging.image_file import DecodeLimits
from culld.inference.worker_process import limit_arenas, tune_malloc
from culld.records.regions import REGION_CLASSES
from culld.segment.clip_file import open_overlay, shown_frames
from culld.segment.clip_regions import RegionTimes
from culld.segment.masks import Segmentation

def held():
    rows = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(rows["VmHWM"].split()[0])

tune_malloc()
limit_arenas()
masks = {kind: np.zeros((270, 480), np.bool_) for kind in REGION_CLASSES}
masks[REGION_CLASSES[1]][50:200, 50:200] = True
found, times, sink, file, size = Segmentation(masks), RegionTimes(), PieceSink(), None, 0
with open(sys.argv[1], "rb") as stream, open(sys.argv[1], "rb") as again, open_clip(stream, DecodeLimits()) as clip:
    for number, shown in enumerate(shown_frames(clip)):
        if file is None:
            context = open_overlay(clip, shown.frame, again, sink)
            file = context.__enter__()
        times.add(shown.frame.at, shown.seconds, found.shares)
        file.add(shown, found)
        size += sum(len(piece.data) for piece in sink.take())
        if number == 100:
            print(held())
    for _ in file.finish():
        size += sum(len(piece.data) for piece in sink.take())
    print(held(), times.frames, size)
    context.__exit__(None, None, None)
"""


@pytest.mark.slow
def test_memory_is_that_of_the_first_frames(tmp_path: Path) -> None:
    """Of a clip of 400 frames with sound: whole frames that stayed would be 116 MB more."""
    few = list(half_defocused(SIZE, 10))
    pictures = encode(
        (few[number % 10] for number in range(FRAMES)),
        Encoding(times=tuple(1000 * number for number in range(FRAMES)), options={"bf": "0", "preset": "ultrafast"}),
    )
    (tmp_path / "a.mp4").write_bytes(with_tone(pictures, "mp4", "aac", 40.0))

    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path / "a.mp4")], capture_output=True, text=True, check=True
    )

    early, (late, frames, size) = int(done.stdout.split()[0]), map(int, done.stdout.split()[1:])
    assert frames == FRAMES
    assert size > 500_000
    assert late - early < 40_000
