"""Whether `subject_sharp` and `share_blur` are right about photographs; prints Markdown.

`PYTHONPATH=tests .venv/bin/python -m bench.subject_sharp --shared DIR [--scenes N]`. The threshold is chosen on N
scenes of the calibration split of `photos`: as they are, with a sharp spot on a blurred ground, and blurred as a
whole; the last two with the noise and the JPEG compression of a camera. The figures are those of N scenes of the test
split and of `more`. Run it again when the segmentation network is replaced.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bench.report import table
from culld.imaging.image_file import DecodeLimits
from culld.inference.card import read_card
from culld.records import Assessment, FileStat, Format, Photo, RootedPath, Scores
from culld.segment.facts import facts_of
from culld.segment.frame import frame_of
from culld.segment.masks import LONGEST, Segmenter
from culld.stages.decide.rule_variables import SHARP_FROM, region_variables
from culld.stages.read.assess import Scorer, Unscored, look_at
from culld.subject.finder import SubjectFinder
from culld.training.dataset import Scene, number_of, read_index, split
from culld.training.experiment import Splits
from culld.training.segmentation import degrade
from culld.training.segmentation.measure import mean_interval

Pixels = NDArray[np.uint8]
MODELS = Path(__file__).parents[2] / "models"
LIMITS = DecodeLimits(10**8)
RADII = (3.5, 6.0)
"""Radii of blur in px of a frame of 1024 px: clearly out of focus, and strongly."""
SPOTS = (0.1, 0.3)
"""The least and the largest share of the frame of a sharp spot."""
KINDS = ("as it is", "sharp spot", *(f"blurred by {radius:g} px" for radius in RADII))
SHARP_KINDS = frozenset(KINDS[:2])


@dataclass(frozen=True)
class Found:
    """What is known of one picture: its assessment as rules see it, its kind, its tags."""

    kind: str
    tags: frozenset[str]
    photo: Assessment

    @property
    def sharpest(self) -> float:
        """The share of the largest sharp region."""
        assert self.photo.regions is not None
        return self.photo.regions.sharpest

    @property
    def has_face(self) -> bool:
        """Whether the main face was measured, which then decides."""
        subject = self.photo.subject
        return subject is not None and bool(subject.faces) and subject.faces[0].blur is not None

    def is_sharp(self) -> bool:
        """`subject_sharp` as rules see it."""
        return region_variables(self.photo)["subject_sharp"] is True

    @property
    def share_blur(self) -> float:
        """`share_blur` as rules see it."""
        assert self.photo.regions is not None
        return self.photo.regions.blurred


class Eye:
    """Looks at pictures as a worker of the daemon does."""

    def __init__(self, model: Path) -> None:
        """Load the networks."""
        self.segmenter = Segmenter.open(model)
        self.scorer = Scorer(None, SubjectFinder.open(MODELS / "faces"))  # type: ignore[arg-type]

    def at(self, data: bytes, kind: str, tags: frozenset[str] = frozenset()) -> Found:
        """Return what is found in the bytes of a picture; no network of defects is run."""
        stream, format_ = io.BytesIO(data), Format.PNG if data.startswith(b"\x89PNG") else Format.JPEG
        looked = look_at(stream, format_, self.scorer, LIMITS)
        pixels, _ = frame_of(stream, format_, LIMITS)
        photo = Photo(RootedPath(Path("/"), Path("a")), FileStat(0, 0, 0, 0, 0), "", format_)
        assert isinstance(looked, Unscored)
        regions = facts_of(self.segmenter.segment(pixels), pixels)
        return Found(kind, tags, Assessment(photo, Scores(0, 0, 0), "", subject=looked.subject, regions=regions))


def pictures(file: Path, scene: Scene) -> Iterator[tuple[str, bytes]]:
    """Yield a photograph as it is, with a sharp spot on a blurred ground, and blurred as a whole."""
    data = file.read_bytes()
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    pixels = np.asarray(image)
    yield KINDS[0], data
    rng = np.random.default_rng(number_of(1, "subject", scene.file))
    soft = [blurred(pixels, radius) for radius in RADII]
    matte = spot(pixels.shape[:2], rng)[..., None]
    made = [pixels * matte + soft[1] * (1 - matte), *soft]
    for kind, each in zip(KINDS[1:], made, strict=True):
        yield kind, taken(each, rng)


def blurred(pixels: Pixels, radius: float) -> Pixels:
    """Return a picture out of focus by a radius in px of a frame of 1024."""
    kernel = degrade.disk(radius * max(pixels.shape) / LONGEST)
    return degrade.pixels_of(degrade.convolve(degrade.light_of(pixels), kernel))


def spot(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the matte of an ellipse, 0..1, of a share between `SPOTS`, with a soft border, inside the frame."""
    height, width = size
    radius = np.sqrt(rng.uniform(*SPOTS) / np.pi)
    y, x = rng.uniform(radius, 1 - radius, 2)
    rows, columns = np.ogrid[:height, :width]
    distance = np.sqrt(((rows / height - y) / radius) ** 2 + ((columns / width - x) / radius) ** 2)
    matte: NDArray[np.float32] = np.clip((1.05 - distance) / 0.1, 0, 1).astype(np.float32)
    return matte


def taken(pixels: NDArray[np.floating] | Pixels, rng: np.random.Generator) -> bytes:
    """Return a picture with the noise of a sensor, as JPEG."""
    noise = rng.normal(0, rng.uniform(1, 6), pixels.shape[:2])[..., None] + rng.normal(0, 1.5, pixels.shape)
    stream = io.BytesIO()
    noisy = np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(stream, "JPEG", quality=int(rng.uniform(70, 92)))
    return stream.getvalue()


def looked_at(eye: Eye, photos: Path, scenes: Sequence[Scene], phase: str) -> list[Found]:
    """Look at all pictures of some scenes."""
    found = []
    for number, scene in enumerate(scenes):
        found += [eye.at(data, kind, scene.tags) for kind, data in pictures(photos / scene.file, scene)]
        if number % 25 == 0:
            print(f"{phase}: {number} of {len(scenes)}", file=sys.stderr, flush=True)
    return found


def best_threshold(found: Sequence[Found]) -> float:
    """Return the threshold of the largest sharp region with the most right answers, kinds weighted equally."""
    free = [each for each in found if not each.has_face]
    limits = np.unique([each.sharpest for each in free])

    def right(limit: float) -> float:
        shares = []
        for kind in KINDS:
            mine = [(each.sharpest >= limit) == (kind in SHARP_KINDS) for each in free if each.kind == kind]
            shares.append(np.mean(mine) * (0.5 / (2 if kind in SHARP_KINDS else len(RADII))))
        return float(np.sum(shares))

    scores = [right(limit) for limit in limits]
    best = np.flatnonzero(np.array(scores) >= max(scores) - 1e-9)
    return float(limits[best[len(best) // 2]])


def lines(name: str, found: Sequence[Found], *, sharp: bool | None) -> tuple[str, ...]:
    """Return a line of the table: subjects that are called sharp, how many rightly, and the share that is blurred."""
    called = [each.is_sharp() for each in found]
    right = "" if sharp is None else str(mean_interval([float(each is sharp) for each in called]))
    faces = f"{sum(each.has_face for each in found)}"
    blur = float(np.median([each.share_blur for each in found]))
    kept = mean_interval([float(one and each.share_blur >= 0.3) for one, each in zip(called, found, strict=True)])
    return name, str(len(found)), faces, f"{sum(called)}", right, f"{blur:.2f}", str(kept)


def more(eye: Eye, folder: Path, kind: str) -> list[Found]:
    """Look at the photographs of a kind of `more`."""
    with (folder / "index.csv").open(encoding="utf-8", newline="") as index:
        files = [row["file"] for row in csv.DictReader(index) if row["kind"] == kind]
    return [eye.at((folder / file).read_bytes(), kind) for file in files if file.lower().endswith((".jpg", ".png"))]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=MODELS / "segment")
    parser.add_argument("--scenes", type=int, default=60)
    args = parser.parse_args()
    eye, photos = Eye(args.model), args.shared / "photos"
    parts = split(read_index(photos), Splits(1, 0.2, 0.1))
    tuned = looked_at(eye, photos, spread(parts.calibration, args.scenes), "calibration")
    limit = best_threshold(tuned)
    plain = [scene for scene in parts.test if not scene.hard]
    found = looked_at(eye, photos, spread(plain, args.scenes), "test")
    bokeh = [scene for scene in parts.test if "bokeh" in scene.tags]
    hard = [eye.at((photos / scene.file).read_bytes(), KINDS[0], scene.tags) for scene in bokeh]
    rows = [lines(f"test, {kind}", of(found, kind), sharp=kind in SHARP_KINDS) for kind in KINDS]
    rows.append(lines("test, tagged bokeh, as it is", hard, sharp=True))
    for kind, sharp in (("bokeh", True), ("sharp", True), ("blur", False), ("ambiguous", None)):
        rows.append(lines(f"more, {kind}", more(eye, args.shared / "more", kind), sharp=sharp))
    head = (
        "photographs", "number", "with a measured face", "subject_sharp", "right (95 %)", "median share_blur",
        "`subject_sharp and share_blur >= 0.3`",
    )  # fmt: skip
    tuning = [lines(f"calibration, {kind}", of(tuned, kind), sharp=kind in SHARP_KINDS) for kind in KINDS]
    print(f"{read_card(args.model).id}: best threshold on the calibration {limit:.3f}, in use {SHARP_FROM:g}\n")
    print("\n".join(table(head, [*tuning, *rows])))


def of(found: Sequence[Found], kind: str) -> list[Found]:
    """Return the pictures of a kind."""
    return [each for each in found if each.kind == kind]


def spread(scenes: Sequence[Scene], number: int) -> list[Scene]:
    """Return at most this many scenes, spread evenly over all."""
    return list(scenes[:: max(1, -(-len(scenes) // number))])


if __name__ == "__main__":
    main()
