"""What culld does with photographs: `python -m bench.verdicts MODEL [MODEL...] --shared DIR`.

Each photograph goes the way of the daemon, alone in its folder: decoding, the networks, the light value of its
settings, the default policy with its protections. Nothing was learnt from these photographs: they are scenes of the
test part, and the kept-out half of photographs of others. More sets are rendered of the test scenes: small files,
nearly black frames, frames that are under-exposed by 2 to 4 stops, and subjects on white and on black grounds. The page
is written into the folder of the first model.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from csv import DictReader
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.accuracy.results_page import count_cell, table_lines
from culld.imaging.decode import decode
from culld.imaging.encode import jpeg_bytes, jpeg_roundtrip
from culld.imaging.image_file import DecodeLimits, UnreadableError
from culld.inference.card import load_card
from culld.records import NETWORK_DEFECTS, Assessment, Defect, Format, Scores, Stack, Verdict
from culld.stages.decide.decide import decide
from culld.stages.read.assess import Scorer, assess
from culld.stages.read.scoring import open_litert
from culld.subject.finder import SubjectFinder
from culld.training import photometric
from culld.training.dataset import HARD_TAGS, Scene, number_of, read_index, split
from culld.training.defects.real_photos import is_kept_out, real_scenes
from culld.training.degradations import small_file
from culld.training.experiment import Splits
from culld.training.exposure.composites import composites
from culld.training.exposure.mattes import blob, matte_of
from harness import factories

MODELS = Path(__file__).resolve().parents[2] / "models"
PAGE = "verdicts.md"
PAST = 0.97
DARK = 0.33  # mean level up to which an under-exposed frame counts as dark
Frame = NDArray[np.uint8]


_PREFACE = """\
By the default policy: the photographs that are tagged, with 95 % intervals (Wilson) in brackets; those whose
probability is 0.97 or more; and those that are moved. `test` are photographs of scenes of the test part as they are;
`others` and `real exposure` the half of photographs of others that is only measured on; `rendered` pictures are made of
the ordinary scenes of the test part.
"""


@dataclass(frozen=True, slots=True)
class Case:
    """The bytes of a photograph, and the set that it is counted in."""

    group: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What culld found: the defects that are tagged, those whose probability is 0.97 or more, and whether it moves."""

    tagged: frozenset[Defect]
    past: frozenset[Defect]
    moved: bool


def main() -> None:
    """Judge each photograph by each model, and print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="model folders")
    parser.add_argument("--shared", type=Path, required=True, help="the folder that holds photos, more, real-exposure")
    parser.add_argument("--print", action="store_true", help="print the page, and write nothing")
    options = parser.parse_args()
    if not options.shared.is_dir():
        sys.exit(f"{options.shared} is no folder: the photographs are not part of the repository")
    cases = list(all_cases(options.shared))
    lines = ["# What culld does with photographs that nothing was learnt from\n", _PREFACE]
    for folder in options.models:
        scorer = scorer_of(folder)
        answers = [answer_to(case.data, scorer) for case in cases]
        lines += [*page(load_card(folder).id, cases, answers)]
    print("\n".join(lines))
    if not options.print:
        (options.models[0] / PAGE).write_text("\n".join(lines) + "\n", "utf-8")


def scorer_of(folder: Path) -> Scorer:
    """Return the scorer of a model folder, with the networks for faces."""
    return Scorer(open_litert(folder / "model.tflite"), SubjectFinder.open(MODELS / "faces"))


def answer_to(data: bytes, scorer: Scorer) -> Answer:
    """Judge the bytes of a photograph as the daemon does."""
    found = assess(data, "a.jpg", scorer)
    scores = found.score.result
    if not isinstance(scores, Scores):
        raise UnreadableError(f"a photograph cannot be read: {scores.reason}")
    photo = replace(factories.photo("a.jpg"), camera=found.camera, format=found.format)
    assessed = Assessment(photo, scores, "model@1", subject=found.score.subject, full_size=found.score.full_size)
    decision = decide(Stack(assessed), factories.rules(), now=factories.NOON, restored=False)
    past = frozenset(defect for defect in NETWORK_DEFECTS if scores.of(defect) >= PAST)
    return Answer(frozenset(decision.defects), past, decision.verdict is Verdict.QUARANTINE)


def all_cases(shared: Path) -> Iterator[Case]:
    """Yield all photographs, set by set."""
    test = split(read_index(shared / "photos"), Splits()).test
    yield from _as_they_are(test, shared / "photos")
    for scene in real_scenes(shared / "more", kept_out=True):
        yield Case(f"others: {', '.join(sorted(scene.tags))}", (shared / "more" / scene.file).read_bytes())
    with (shared / "real-exposure" / "index.csv").open(encoding="utf-8", newline="") as lines:
        for each in DictReader(lines):
            if is_kept_out(each["file"]):
                yield Case(f"real exposure: {each['label']}", (shared / "real-exposure" / each["file"]).read_bytes())
    yield from _rendered([scene for scene in test if not scene.hard], shared / "photos")


def _as_they_are(scenes: Sequence[Scene], photos: Path) -> Iterator[Case]:
    for scene in scenes:
        kind = next((tag for tag in HARD_TAGS if tag in scene.tags), "")
        yield Case(f"test: {kind or scene.source}", (photos / scene.file).read_bytes())


def _rendered(scenes: Sequence[Scene], photos: Path) -> Iterator[Case]:
    for scene in scenes:
        rng = np.random.default_rng(number_of(1, "verdicts", scene.file))
        with (photos / scene.file).open("rb") as stream:
            frame = decode(stream, Format.JPEG, DecodeLimits())
        linear = photometric.to_linear(frame.astype(np.float32) / np.float32(255))
        yield Case("rendered: nearly black", _exposed(linear, rng.uniform(-9, -6), rng))
        dark = _exposed(linear, rng.uniform(-4, -2), rng)
        with Image.open(BytesIO(dark)) as image:
            is_dark = np.asarray(image.convert("L")).mean() <= DARK * 255
        if is_dark:
            yield Case("rendered: under-exposed, dark", dark)
        longest, quality = int(rng.integers(160, 500)), int(rng.integers(40, 90))
        yield from _on_grounds(frame, rng)
        small = small_file(frame, longest, 0.75, lambda pixels, quality=quality: jpeg_roundtrip(pixels, quality))
        reduced = Image.fromarray(small).resize((longest, round(longest * 0.75)))
        yield Case("rendered: small, 160 to 500 px", jpeg_bytes(np.asarray(reduced), quality))


def _on_grounds(frame: Frame, rng: np.random.Generator) -> Iterator[Case]:
    """Yield the subject of a scene, or a shape of it, on white and on black, where its exposure can be seen."""
    found = matte_of(frame)
    way, matte = ("shape", blob(frame.shape[:2], rng)) if found is None else ("subject", found)
    for each in composites(frame, matte, rng):
        if each.under is not None and each.over is not None:
            yield Case(f"rendered: {way} {each.group}", jpeg_bytes(each.frame, 92))


def _exposed(linear: NDArray[np.float32], stops: float, rng: np.random.Generator) -> bytes:
    srgb = photometric.to_srgb(photometric.expose(linear, float(stops), rng))
    return jpeg_bytes(photometric.to_pixels(srgb), 92)


def page(name: str, cases: Sequence[Case], answers: Sequence[Answer]) -> Iterator[str]:
    """Yield the lines of the page of one model."""
    groups: dict[str, list[Answer]] = defaultdict(list)
    for case, answer in zip(cases, answers, strict=True):
        groups[case.group].append(answer)
        if case.group.startswith("test:") and case.group.split(": ")[1] not in HARD_TAGS:
            groups["test: all ordinary"].append(answer)
    rows = []
    for group, found in sorted(groups.items()):
        cells = [count_cell(sum(defect in each.tagged for each in found), len(found)) for defect in NETWORK_DEFECTS]
        past = [str(sum(defect in each.past for each in found)) for defect in NETWORK_DEFECTS]
        rows.append([f"{group} ({len(found)})", *cells, *past, str(sum(each.moved for each in found))])
    names = [str(defect) for defect in NETWORK_DEFECTS]
    yield f"## {name}\n"
    yield from table_lines(["", *names, *(f"{each} past {PAST}" for each in names), "moved"], rows)


if __name__ == "__main__":
    main()
