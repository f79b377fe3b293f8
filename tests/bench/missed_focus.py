"""Missed focus on faces: fits the model on one half of the photos, and measures it on the other half, end to end.

A photo belongs to a half by the checksum of its name.

    PYTHONPATH=tests .venv/bin/python -m bench.missed_focus PHOTOS --fit      # writes models/faces/card.json
    PYTHONPATH=tests .venv/bin/python -m bench.missed_focus PHOTOS            # measures on the half that was not fitted

With --save the figures are written to the card as well.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.portraits import Pixels, Portrait, draws, portraits, versions
from culld.app.review.intervals import wilson
from culld.imaging.decode import DecodedPhoto
from culld.inference.card import load_card, save_card
from culld.inference.litert import LiteRtNetwork, silence_stderr
from culld.subject.faces import Face, FaceDetector
from culld.subject.finder import SubjectFinder
from culld.subject.focus import focus_features
from culld.subject.patch import face_patch, face_region
from culld.training.faces.logistic import fit_logistic

MODEL = Path(__file__).parents[2] / "models" / "faces"
TAG = 0.7
DEVELOP, REPORT = 0, 1
PENALTY = 0.3
SHARE = 2.0
"""How much more a version out of focus counts in the fit than one in focus."""
NOT_SHARP = {"azure/azure-00011.jpg"}
"""Photos of the half that is fitted whose main face is out of focus to the eye: they are not fitted."""


def open_detector() -> FaceDetector:
    """Return the detector that ships."""
    with silence_stderr():
        return FaceDetector(LiteRtNetwork(MODEL / "first.tflite"), LiteRtNetwork(MODEL / "model.tflite"))


def open_finder() -> SubjectFinder:
    """Return what finds and judges faces, with the model of focus that ships."""
    with silence_stderr():
        return SubjectFinder.open(MODEL)


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
