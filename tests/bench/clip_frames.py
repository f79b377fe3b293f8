"""Draws docs/segment-clip.jpg: a frame of each of four overlays, of clips that are drawn and filmed by a camera model.

`PYTHONPATH=tests .venv/bin/python -m bench.clip_frames [--out FILE]`.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import av  # noqa: TID253 (a bench)
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from culld.app.segment_clip_messages import BeginClip, ClipPart, SegmentClipSettings
from culld.app.segment_clip_worker import SegmentClipWorker
from culld.records import RootedPath
from harness import scenes
from harness.camera_clips import Shot, encode, frames
from harness.overlay_clips import half_defocused

Pixels = NDArray[np.uint8]
REPO = Path(__file__).parents[2]
SIZE, GAP = (1280, 720), 8
SHOT = Shot(seconds=0.1, size=SIZE)


def clips() -> Iterable[Iterable[Pixels]]:
    """The frames of four clips: half out of focus, a fast pan, burnt out, and much too dark."""
    yield half_defocused(SIZE, 3, 9.0)
    yield frames(landscape(4), replace(SHOT, pan=0.6, shutter=0.9))
    yield frames(landscape(1), replace(SHOT, stops=1.6))
    yield frames(landscape(2), replace(SHOT, stops=-5.0))


def landscape(seed: int) -> Pixels:
    """A drawn landscape, larger than the frames."""
    return np.asarray(scenes.picture(scenes.Scene(seed, size=(1920, 1080))))


def overlaid(worker: SegmentClipWorker, pictures: Iterable[Pixels], folder: Path) -> Image.Image:
    """Return the last frame of the overlay of a clip."""
    (folder / "a.mp4").write_bytes(encode(pictures))
    file = bytearray()
    part = worker.begin(BeginClip(RootedPath(folder, Path("a.mp4")), with_overlay=True))
    while True:
        assert isinstance(part, ClipPart), part
        for piece in part.pieces:
            file[piece.offset : piece.offset + len(piece.data)] = piece.data
        if part.regions is not None:
            print(part.regions.sentence)
            break
        part = worker.go_on()
    with av.open(io.BytesIO(file)) as opened:
        *_, last = opened.decode(video=0)
    return Image.fromarray(last.to_ndarray(format="rgb24"))


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=REPO / "docs" / "segment-clip.jpg", metavar="FILE")
    out = parser.parse_args().out
    worker = SegmentClipWorker(SegmentClipSettings(REPO / "models" / "segment", 10**8))
    width, height = SIZE[0] // 2, SIZE[1] // 2
    whole = Image.new("RGB", (2 * width + GAP, 2 * height + GAP), "white")
    with tempfile.TemporaryDirectory() as folder:
        for number, pictures in enumerate(clips()):
            frame = overlaid(worker, pictures, Path(folder)).resize((width, height), Image.Resampling.LANCZOS)
            whole.paste(frame, ((number % 2) * (width + GAP), number // 2 * (height + GAP)))
    whole.save(out, quality=85)


if __name__ == "__main__":
    main()
