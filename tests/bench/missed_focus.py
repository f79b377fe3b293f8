"""Missed focus on faces: fits the model on one half of the photos, and measures it on the other half, end to end.

A photo belongs to a half by the checksum of its name. Photos with a face of at least 60 pixels are used; their people,
or their ground, are convolved by a disk in linear light behind a soft matte, and saved as JPEG.

    PYTHONPATH=tests .venv/bin/python -m bench.missed_focus PHOTOS --fit      # writes models/faces/card.json
    PYTHONPATH=tests .venv/bin/python -m bench.missed_focus PHOTOS            # measures on the half that was not fitted

With --save the figures are written to the card as well.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.accuracy.results_page import wilson
from culld.imaging.decode import DecodedPhoto
from culld.inference.card import load_card, save_card
from culld.inference.litert import LiteRtNetwork, silence_stderr
from culld.subject.faces import Face, FaceDetector
from culld.subject.finder import SubjectFinder
from culld.subject.focus import focus_features
from culld.subject.patch import face_patch, face_region
from culld.training.blur_kernels import disk, motion
from culld.training.faces.composites import ground_blurred, people_blurred, people_matte
from culld.training.faces.logistic import fit_logistic
from culld.training.photometric import to_linear, to_srgb

MODEL = Path(__file__).parents[2] / "models" / "faces"
MIN_SCORE, MIN_PIXELS = 0.8, 60
TAG = 0.7
RADII = (0.01, 0.02, 0.04, 0.08)
"""Of the disk, in heights of the face; as diameters they are 2, 4, 8 and 16 %."""
DEVELOP, REPORT = 0, 1
PENALTY = 0.3
SHARE = 2.0
"""How much more a version out of focus counts in the fit than one in focus."""
NOT_SHARP = {"azure/azure-00011.jpg"}
"""Photos of the half that is fitted whose main face is out of focus to the eye: they are not fitted."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Portrait:
    """A photo with its main face; `height` is that of the face in pixels, `people` are the boxes of all in pixels."""

    name: str
    pixels: Pixels
    main: Face
    height: float
    people: list[tuple[float, float, float, float]]

    @property
    def source(self) -> str:
        """The folder of the photo."""
        return self.name.partition("/")[0]


def half_of(name: str) -> int:
    """Return 0 or 1 for the name of a photo."""
    return zlib.crc32(name.encode()) % 2


def open_detector() -> FaceDetector:
    """Return the detector that ships."""
    with silence_stderr():
        return FaceDetector(LiteRtNetwork(MODEL / "first.tflite"), LiteRtNetwork(MODEL / "model.tflite"))


def open_finder() -> SubjectFinder:
    """Return what finds and judges faces, with the model of focus that ships."""
    with silence_stderr():
        return SubjectFinder.open(MODEL)


def portraits(photos: Path, half: int, detector: FaceDetector) -> Iterator[Portrait]:
    """Yield the photos of a half with a face that is sure and large enough."""
    for file in sorted(photos.rglob("*.jpg")):
        name = str(file.relative_to(photos))
        if half_of(name) != half:
            continue
        with Image.open(file) as photo:
            pixels = np.asarray(photo.convert("RGB"))
        tall, wide, _ = pixels.shape
        faces = detector.detect_thoroughly(pixels)
        if not any(face.score >= MIN_SCORE and face.box[3] * tall >= MIN_PIXELS for face in faces):
            continue
        main = max(faces, key=lambda face: face.box[3])
        x, y, w, h = (np.array([face.box for face in faces]) * (wide, tall, wide, tall)).T
        people = [box for box in zip(x, y, w, h, strict=True) if box[3] > 0.3 * h.max()]
        yield Portrait(name, pixels, main, float(h.max()), people)


def versions(portrait: Portrait) -> Iterator[tuple[str, Pixels]]:
    """Yield the versions that are measured, by name."""
    linear = to_linear(portrait.pixels.astype(np.float32) / 255)
    matte = people_matte(portrait.pixels.shape[:2], portrait.people)
    rng = np.random.default_rng(zlib.crc32(portrait.name.encode()))
    yield "clean", portrait.pixels
    yield "clean, JPEG 75", saved(portrait.pixels / np.float32(255), 75)
    yield "clean, noise 4", saved(noisy(portrait.pixels / np.float32(255), 4, rng))
    for radius in RADII:
        kernel = disk(radius * portrait.height)
        yield f"bokeh {radius:.0%}", saved(to_srgb(ground_blurred(linear, matte, kernel)))
        blurred = to_srgb(people_blurred(linear, matte, kernel))
        yield f"out of focus {radius:.0%}", saved(blurred)
        if radius in RADII[1:3]:
            yield f"out of focus {radius:.0%}, noise 4", saved(noisy(blurred, 4, rng))
    for length in (0.06, 0.12):
        kernel = motion(length * portrait.height + 1, rng.uniform(0, 180))
        yield f"moved {length:.0%}", saved(to_srgb(people_blurred(linear, matte, kernel)))


def draws(portrait: Portrait) -> Iterator[tuple[float, float, Pixels]]:
    """Yield (label, weight, pixels) of the versions that are fitted: random radius, noise, JPEG quality and size."""
    linear = to_linear(portrait.pixels.astype(np.float32) / 255)
    matte = people_matte(portrait.pixels.shape[:2], portrait.people)
    rng = np.random.default_rng(zlib.crc32(portrait.name.encode()) + 1)
    yield 0.0, 2.0, portrait.pixels
    for number in range(4):
        clean = portrait.pixels / np.float32(255)
        if number % 2:
            kernel = disk(math.exp(rng.uniform(math.log(0.01), math.log(0.1))) * portrait.height)
            clean = to_srgb(ground_blurred(linear, matte, kernel))
        yield 0.0, 1.0, degraded(clean, rng, number > 1)
    for number in range(6):
        radius = math.exp(rng.uniform(math.log(0.016), math.log(0.09 if number % 2 else 0.03)))
        blurred = to_srgb(people_blurred(linear, matte, disk(radius * portrait.height)))
        yield 1.0, 1.0, degraded(blurred, rng, number > 3)


def degraded(srgb: NDArray[np.float32], rng: np.random.Generator, small: bool) -> Pixels:  # noqa: FBT001
    """Return a photo saved as JPEG, with noise in half of the cases, and reduced by up to the half if `small`."""
    pixels = saved(noisy(srgb, rng.uniform(1, 8), rng) if rng.uniform() < 0.5 else srgb, int(rng.integers(75, 97)))
    if not small:
        return pixels
    scale = rng.uniform(0.5, 1)
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def noisy(srgb: NDArray[np.float32], levels: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Add noise of so many grey levels."""
    return srgb + rng.standard_normal(srgb.shape, np.float32) * np.float32(levels / 255)


def saved(srgb: NDArray[np.float32], quality: int = 92) -> Pixels:
    """Return a picture as JPEG of this quality shows it."""
    stream = io.BytesIO()
    Image.fromarray((srgb * 255).round().clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=quality)
    with Image.open(stream) as photo:
        return np.asarray(photo.convert("RGB"))


def judge(pixels: Pixels, finder: SubjectFinder) -> tuple[int, float | None]:
    """Return the number of faces, and the probability that the main one is out of focus, as culld judges a photo."""
    decoded = decoded_as(pixels)
    subject, probability = finder.find(decoded.frame(), decoded, lambda: pixels)
    return len(subject.faces), probability


def decoded_as(pixels: Pixels) -> DecodedPhoto:
    """Return a photo as if it had been decoded to these pixels."""
    image = Image.fromarray(pixels)
    return DecodedPhoto(image, image.size)


def faces_in(pixels: Pixels, detector: FaceDetector) -> tuple[Face, ...]:
    """Return the faces that culld finds in a photo."""
    decoded = decoded_as(pixels)
    return detector.detect_in(decoded.upright_frame(decoded.frame()), lambda: pixels)


def features(portrait: Portrait, pixels: Pixels, detector: FaceDetector) -> NDArray[np.float64]:
    """Return the features of the main face of a version, where it is found, else where it was."""
    x, _, w, h = portrait.main.box
    near = [
        face
        for face in faces_in(pixels, detector)
        if abs(face.box[0] + face.box[2] / 2 - x - w / 2) < w / 3 and 0.7 < face.box[3] / h < 1.4
    ]
    face = max(near, key=lambda each: each.score, default=portrait.main)
    region = face_region(face, pixels.shape[1] / pixels.shape[0])
    return focus_features(face_patch(region.of(pixels), region, face))


def training_rows(photos: Path, detector: FaceDetector) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], list[str]]:
    """Return the features, labels, weights and names of photos of the half that is fitted."""
    rows, labels, weights, names = [], [], [], []
    for portrait in portraits(photos, DEVELOP, detector):
        for label, weight, pixels in () if portrait.name in NOT_SHARP else draws(portrait):
            rows.append(features(portrait, pixels, detector))
            labels.append(label)
            weights.append(weight * (SHARE if label else 1.0))
            names.append(portrait.name)
    return np.array(rows), np.array(labels), np.array(weights), names


def fit(photos: Path, detector: FaceDetector) -> None:
    """Fit the model of focus and write it to the card."""
    rows, labels, weights, names = training_rows(photos, detector)
    found = fit_logistic(rows, labels, weights, PENALTY)
    card = load_card(MODEL)
    focus = {
        "photos": len(set(names)),
        "versions": len(rows),
        "prevalence": round(float((weights * labels).sum() / weights.sum()), 3),
        "means": [round(float(each), 5) for each in found.means],
        "deviations": [round(float(each), 5) for each in found.deviations],
        "weights": [round(float(each), 5) for each in found.weights],
        "offset": round(found.offset, 5),
    }
    save_card(MODEL, replace(card, calibration={**card.calibration, "focus": focus}))


def measure(photos: Path, half: int, detector: FaceDetector, finder: SubjectFinder) -> list[dict[str, Any]]:
    """Return a row for each version of each photo: name, source, version, height of the face, faces, probability."""
    return [
        {
            "name": portrait.name,
            "source": portrait.source,
            "version": version,
            "height": round(portrait.height),
            **dict(zip(("faces", "probability"), judge(pixels, finder), strict=True)),
        }
        for portrait in portraits(photos, half, detector)
        for version, pixels in versions(portrait)
    ]


def figures(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return by version: photos, share flagged at 0.7 with its 95 % interval, and how many had no answer or no face."""
    by_version = defaultdict(list)
    for row in rows:
        by_version[row["version"]].append(row)
    found = {}
    for version, those in by_version.items():
        flagged = sum((row["probability"] or 0) >= TAG for row in those)
        low, high = wilson(flagged, len(those))
        found[version] = {
            "photos": len(those),
            "flagged": round(flagged / len(those), 3),
            "from": round(low, 3),
            "to": round(high, 3),
            "no_answer": sum(row["probability"] is None and row["faces"] > 0 for row in those),
            "no_face": sum(row["faces"] == 0 for row in those),
        }
    return found


def table(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each version."""
    yield f"{'version':<26} photos  flagged  95 % interval    no answer  no face"
    for version, each in found.items():
        yield (
            f"{version:<26} {each['photos']:6}  {each['flagged']:7.3f}  {each['from']:.3f} to {each['to']:.3f}"
            f"  {each['no_answer']:9}  {each['no_face']:7}"
        )


def save(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the figures of the half that was not fitted to the card."""
    card = load_card(MODEL)
    kept = {
        "half": "photos whose checksum of the name is odd, none of them fitted",
        "tag": TAG,
        "versions": found,
    }
    save_card(MODEL, replace(card, metrics={**card.metrics, "missed_focus": kept}))


def main() -> None:
    """Fit, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--develop", action="store_true", help="measure on the half that is fitted, to choose by")
    parser.add_argument("--save", action="store_true", help="write the figures to the card")
    parser.add_argument("--rows", type=Path, help="write the rows as JSON lines here")
    arguments = parser.parse_args()
    detector = open_detector()
    if arguments.fit:
        fit(arguments.photos, detector)
        return
    if arguments.develop and arguments.save:
        parser.error("the card holds figures of the half that was not fitted")
    rows = measure(arguments.photos, DEVELOP if arguments.develop else REPORT, detector, open_finder())
    if arguments.rows:
        arguments.rows.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = figures(rows)
    print("\n".join(table(found)))
    if arguments.save:
        save(found)


if __name__ == "__main__":
    main()
