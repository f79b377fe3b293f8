"""The face network against OpenCV's `FaceDetectorYN` on the same ONNX file and frames, and what the first look misses.

OpenCV runs in an interpreter of its own, as the bench's other contenders do: `make .venv-bench/.done` installs it.

    PYTHONPATH=tests .venv/bin/python -m bench.faces PHOTOS --weights yunet_n_640.onnx --opencv .venv-bench/bin/python
    PYTHONPATH=tests .venv/bin/python -m bench.faces --convert --weights yunet_n_640.onnx    # writes models/faces
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from culld.errors import SystemFaultError
from culld.imaging.decode import shrunk
from culld.inference.card import MODEL_FILE, Card, read_card, save_card
from culld.inference.litert import LiteRtNetwork, silence_stderr
from culld.records import Threshold
from culld.subject.faces import MIN_SCORE, FaceDetector, anchors_of, select_faces
from culld.training.faces.convert import NOTICE, SIDES, convert
from culld.training.provenance import provenance

MODEL = Path(__file__).parents[2] / "models" / "faces"
SIDE = 640
MAX_PIXELS, MAX_SCORE = 1.0, 1e-3
"""How far a box or point and a score may differ from OpenCV's."""
SMALL, SURE = 40 / SIDE, 0.8
"""The height in frames and the score of a face that the first look must not miss."""
_DRIVER = f"""
import json, sys
import cv2, numpy as np
cv2.setNumThreads(1)
detector = cv2.FaceDetectorYN.create(sys.argv[1], "", ({SIDE}, {SIDE}), 0.7, 0.3, 5000)
size = {SIDE} * {SIDE} * 3
while len(frame := sys.stdin.buffer.read(size)) == size:
    rgb = np.frombuffer(frame, np.uint8).reshape({SIDE}, {SIDE}, 3)
    rows = detector.detect(np.ascontiguousarray(rgb[:, :, ::-1]))[1]
    print(json.dumps([] if rows is None else rows.tolist()))
"""


@dataclass(frozen=True)
class Parity:
    """The largest differences from OpenCV in pixels and score, and the photos on which the number of faces differs."""

    photos: int
    faces: int
    pixels: float
    score: float
    other_count: int


def parity(frames: Sequence[NDArray[np.uint8]], weights: Path, opencv: Path) -> Parity:
    """Compare both on the same frames, uint8 RGB (640, 640, 3)."""
    network = LiteRtNetwork(MODEL / "model.tflite")
    (source,), (target,) = network.signature.inputs, network.signature.outputs
    anchors = anchors_of(SIDE)
    faces, pixels, score, other = 0, 0.0, 0.0, 0
    for frame, theirs in zip(frames, opencv_faces(frames, weights, opencv), strict=True):
        ours = select_faces(network.run({source: frame[None]})[target][0], anchors)
        if len(ours) != len(theirs):
            other += 1
            continue
        for row in ours:
            nearest = theirs[np.abs(theirs[:, 1:5] - row[1:5]).max(axis=1).argmin()]
            pixels = max(pixels, float(np.abs(nearest[1:] - row[1:]).max()))
            score = max(score, float(abs(nearest[0] - row[0])))
            faces += 1
    return Parity(len(frames), faces, pixels, score, other)


def opencv_faces(frames: Sequence[NDArray[np.uint8]], weights: Path, opencv: Path) -> Iterator[NDArray[Any]]:
    """Yield OpenCV's faces of each frame (n, 15): score, box, points."""
    command = [str(opencv), "-c", _DRIVER, str(weights)]
    sent = b"".join(frame.tobytes() for frame in frames)
    answer = subprocess.run(command, input=sent, capture_output=True, check=True).stdout.decode()
    for line in answer.splitlines():
        rows = np.array(json.loads(line)).reshape(-1, 15)
        yield np.concatenate([rows[:, 14:], rows[:, :14]], axis=1)


def frame_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a photo as a square frame, its content in the upper left corner."""
    fitted = shrunk(pixels, SIDE)
    frame = np.zeros((SIDE, SIDE, 3), np.uint8)
    frame[: fitted.shape[0], : fitted.shape[1]] = fitted
    return frame


def first_look(files: Sequence[Path]) -> dict[str, Any]:
    """Return how many photos with and without a face pass the first look, and the time of one core in ms.

    A photo has a face if the large network is sure of one of at least 40 pixels of 640, and none if it finds none.
    """
    detector = FaceDetector(*(LiteRtNetwork(MODEL / name) for name in ("first.tflite", "model.tflite")))
    passed, of, spent = {"with": 0, "without": 0}, {"with": 0, "without": 0}, {"with": 0.0, "without": 0.0}
    for file in files:
        pixels = read(file)
        begin = time.process_time()
        found = detector.detect(pixels)
        ended = time.process_time()
        faces = detector.detect_thoroughly(pixels)
        longest = max(pixels.shape)
        sure = any(face.score >= SURE and face.box[3] * pixels.shape[0] >= SMALL * longest for face in faces)
        if sure or not faces:
            kind = "with" if sure else "without"
            spent[kind] += ended - begin
            of[kind] += 1
            passed[kind] += bool(found)
    return {"found": passed, "of": of, "ms": {kind: 1000 * each / max(of[kind], 1) for kind, each in spent.items()}}


LIMITS = (
    "No answer for a face below 48 pixels or 5 % of the height, turned away, nearly black or blurred by movement.",
    "The main face is judged alone: a sharp group behind a blurred nearest person is called missed focus.",
    "Faces of less than 80 pixels are missed most: 28 of 33 are tagged at a radius of 2 % of their height.",
    "Of strongly defocused faces a tenth is not found, so they get no answer.",
    "Painted and printed faces count as faces.",
)


def convert_model(weights: Path) -> None:
    """Write both LiteRT files and their card; a card that is there keeps its calibration and figures."""
    digests = convert(weights, MODEL)
    try:
        kept = read_card(MODEL)
        calibration, metrics = kept.calibration, kept.metrics
    except SystemFaultError:
        calibration, metrics = {}, {}
    card = Card(
        name="faces",
        version=1,
        digest=digests[MODEL_FILE],
        width=SIDES[MODEL_FILE],
        height=SIDES[MODEL_FILE],
        labels=("face",),
        thresholds=(Threshold(tag=MIN_SCORE, reject=None),),
        data={"training": "WIDER FACE, by the authors of YuNet; the network was not trained here"},
        origin={"network": "YuNet", "licence": "Apache-2.0", "notice": NOTICE},
        metrics=metrics,
        calibration=calibration,
        provenance={**provenance(), "files": digests},
        limits=LIMITS,
    )
    save_card(MODEL, card)


def read(file: Path) -> NDArray[np.uint8]:
    """Return the pixels of a photo, uint8 RGB."""
    with Image.open(file) as photo:
        return np.asarray(photo.convert("RGB"))


def main() -> int:
    """Convert, or print both comparisons as JSON; returns 1 if a difference is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="?", default=Path("photos"))
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--opencv", type=Path, default=Path(".venv-bench/bin/python"), help="Python with OpenCV")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--convert", action="store_true")
    arguments = parser.parse_args()
    if arguments.convert:
        convert_model(arguments.weights)
        return 0
    files = sorted(arguments.photos.rglob("*.jpg"))
    files = random.Random(1).sample(files, min(arguments.count, len(files)))  # noqa: S311
    with silence_stderr():
        LiteRtNetwork(MODEL / "first.tflite")  # LiteRT writes about its delegates once
    found = parity([frame_of(read(file)) for file in files], arguments.weights, arguments.opencv)
    print(json.dumps({"parity": vars(found), "first_look": first_look(files)}, indent=1))
    return int(found.pixels > MAX_PIXELS or found.score > MAX_SCORE or found.other_count > 0)


if __name__ == "__main__":
    raise SystemExit(main())
