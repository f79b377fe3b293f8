"""How well two photos of one scene are laid on one another, and how often two of different scenes are.

`PYTHONPATH=tests .venv/bin/python -m bench.align --shared DIR` prints the tables. Scenes are split by name: the aligner
was developed on one half, and this command measures on the other one. A pair is made of one photo: the first frame is a
cut of it, the second one is seen through a random homography, and both get noise, exposure, blur and JPEG. The error is
the mean distance of the corners of the second frame from the truth, with the first frame at 1024 px.
"""

from __future__ import annotations

import argparse
import csv
import functools
import hashlib
import io
import itertools
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2  # noqa: TID253 - this bench needs it throughout
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from culld.app.review.intervals import wilson
from culld.imaging.align import Alignment, NotComparable, Prepared, align, align_prepared, prepare
from culld.imaging.homography import corner_error, corners, resizing
from culld.training.blur_kernels import disk
from culld.training.photometric import to_linear, to_srgb

Frame = NDArray[np.uint8]
Matrix = NDArray[np.float64]

VIEWS = ("burst", "other size", "crop", "turned")
LIGHTS = ("clean", "noise", "exposure", "blur", "JPEG", "all")
BAR = 1.5
"""The largest error in px at 1024 px of a pair that counts as aligned."""
_INSET = 0.08  # of the photo, around the first frame: what the second frame shows beyond it


@dataclass(frozen=True, slots=True)
class Found:
    """One pair: its origin, how it was made, and what the aligner made of it; `error` is None without a map."""

    source: str
    name: str
    view: str
    light: str
    comparable: bool
    method: str
    inliers: int
    ratio: float
    error: float | None
    seconds: float
    reason: str


def held_out(name: str) -> bool:
    """Return whether a photo belongs to the half that is measured."""
    return hashlib.sha256(name.encode()).digest()[-1] % 2 == 1


def pixels_of(path: Path) -> Frame:
    """Return the upright pixels of a photo."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def view(photo: Frame, kind: str, rng: np.random.Generator) -> tuple[Frame, Frame, Matrix]:
    """Return two frames of a photo and the true map from the second one to the first one."""
    height, width = photo.shape[:2]
    top, left = round(_INSET * height), round(_INSET * width)
    first = photo[top : height - top, left : width - left]
    angle, scale, shift, tilt = {
        "burst": (1.5, 0.02, 0.03, 0.01),
        "other size": (1.5, 0.02, 0.03, 0.01),
        "crop": (1.0, 0.02, 0.0, 0.01),
        "turned": (12.0, 0.15, 0.05, 0.04),
    }[kind]
    box = corners(first.shape[:2]) + np.array([left, top])
    centre = box.mean(axis=0)
    turn = np.deg2rad(rng.uniform(-angle, angle))
    spin = np.exp(rng.uniform(-scale, scale)) * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    part = rng.uniform(0.45, 0.85) if kind == "crop" else 1.0
    seen = (box - centre) @ spin.T * part + centre + rng.uniform(-shift, shift, 2) * width
    seen += rng.uniform(-tilt, tilt, (4, 2)) * width * part
    if kind == "crop":
        seen += rng.uniform(-1, 1, 2) * (1 - part) / 2 * (box[2] - box[0])
    size = rng.uniform(0.3, 0.8) if kind == "other size" else rng.uniform(0.6, 1.0) * part if kind == "crop" else 1.0
    out = (max(80, round(first.shape[1] * size)), max(80, round(first.shape[0] * size)))
    target = corners((out[1], out[0])).astype(np.float32)
    to_photo = np.asarray(cv2.getPerspectiveTransform(target, seen.astype(np.float32)), np.float64)
    second = resampled(photo, to_photo, out, 1 if kind in {"burst", "turned"} else 2)
    return first, second, np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]]) @ to_photo


def resampled(photo: Frame, to_photo: Matrix, size: tuple[int, int], finer: int) -> Frame:
    """Return a frame (width, height) of a photo, each pixel the mean of so many samples across and down."""
    target = (finer * size[0], finer * size[1])
    matrix = to_photo @ np.linalg.inv(resizing(finer, finer))
    large = cv2.warpPerspective(
        photo, matrix, target, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(cv2.resize(large, size, interpolation=cv2.INTER_AREA) if finer > 1 else large, np.uint8)


def lit(frame: Frame, light: str, rng: np.random.Generator, *, second: bool) -> Frame:
    """Return a frame after lens, exposure, sensor and compression."""
    if second and light in {"blur", "all"}:
        frame = defocused(frame, float(rng.uniform(0.5, 4.0)) * max(frame.shape) / 1024)
    if second and light in {"exposure", "all"}:
        frame = exposed(frame, float(rng.uniform(-2.5, 2.5)))
    if light in {"noise", "all"}:
        sigma = float(rng.uniform(2, 8))
        noise = rng.standard_normal(frame.shape, np.float32) * np.float32(sigma)
        frame = np.clip(np.rint(frame + noise), 0, 255).astype(np.uint8)
    if light in {"JPEG", "all"}:
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "JPEG", quality=int(rng.integers(40, 95)))
        with Image.open(file) as image:
            frame = np.asarray(image)
    return frame


def defocused(frame: Frame, radius: float) -> Frame:
    """Return a frame convolved in linear light with a disk of this radius in px."""
    table = to_linear(np.arange(256, dtype=np.float32) / 255)
    kernel = disk(radius).astype(np.float32)
    light = cv2.filter2D(table[frame], -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    back = np.rint(to_srgb(np.linspace(0, 1, 4097, dtype=np.float32)) * 255).astype(np.uint8)
    return back[np.clip(np.rint(light * 4096), 0, 4096).astype(np.uint16)]


def exposed(frame: Frame, stops: float) -> Frame:
    """Return a frame with so many stops more light, clipped at white."""
    light = to_linear(np.arange(256, dtype=np.float32) / 255) * np.float32(2**stops)
    return np.rint(to_srgb(np.minimum(light, 1)) * 255).astype(np.uint8)[frame]


def measured(first: Frame, second: Frame, origin: tuple[str, str, str, str], truth: Matrix | None) -> Found:
    """Return what the aligner makes of a pair; `origin` is its source, name, view and light."""
    start = time.process_time()
    found = align(first, second)
    spent = time.process_time() - start
    return noted(found, origin, truth, (first.shape[:2], second.shape[:2]), spent)


def noted(
    found: Alignment | NotComparable,
    origin: tuple[str, str, str, str],
    truth: Matrix | None,
    sizes: tuple[Any, Any],
    spent: float,
) -> Found:
    """Return the record of a result."""
    if isinstance(found, NotComparable):
        return Found(*origin, False, "", 0, 0.0, None, spent, found.reason)
    error = None if truth is None else corner_error(found.matrix, truth, *sizes)
    return Found(*origin, True, found.method, found.inliers, found.ratio, error, spent, "")


def photographs(options: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Yield source and path of photos of the chosen half, in a random order: at most so many of each source."""
    found = list(_all_photographs(options))
    counts: dict[str, int] = defaultdict(int)
    kept = []
    for index in np.random.default_rng(options.seed).permutation(len(found)):
        source = found[index][0]
        counts[source] += 1
        limit = {"camera 6-10 MP": options.scenes // 3, "photos 640 px": 3 * options.scenes}.get(source, options.scenes)
        if counts[source] <= limit:
            kept.append(found[index])
    yield from kept


def _all_photographs(options: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Yield source and path of the photos of the chosen half: cameras, the kinds of `more`, and `photos`."""
    for path in sorted((options.shared / "camera" / "dresden").glob("*.JPG")):
        if held_out(path.name) != options.developed:
            yield "camera 6-10 MP", path
    with (options.shared / "more" / "index.csv").open() as file:
        kinds = {row["file"]: row["kind"] for row in csv.DictReader(file)}
    for name in sorted(kinds):
        path = options.shared / "more" / name
        if held_out(path.name) != options.developed and path.suffix.lower() in {".jpg", ".jpeg"}:
            folder = path.parent.name
            if folder in {"night_lowkey", "highkey", "bokeh", "sharp"}:
                yield folder, path
            elif folder in {"blur", "over", "under", "ambiguous"}:
                yield "faulty", path
    for path in sorted((options.shared / "photos").rglob("*.jpg")):
        if held_out(path.name) != options.developed:
            yield "photos 640 px", path


def related(options: argparse.Namespace) -> Iterator[Found]:
    """Yield the results of pairs with a known map: each photo in each light, the views in turn."""
    for source, path in photographs(options):
        photo = pixels_of(path)
        seed = int.from_bytes(hashlib.sha256(path.name.encode()).digest()[:4], "big") + options.seed
        for index, light in enumerate(LIGHTS):
            rng = np.random.default_rng((seed, index))
            kind = VIEWS[(seed + index) % len(VIEWS)]
            first, second, truth = view(photo, kind, rng)
            pair = lit(first, light, rng, second=False), lit(second, light, rng, second=True)
            yield measured(*pair, (source, path.name, kind, light), truth)


def series(options: argparse.Namespace) -> Iterator[tuple[str, list[Path]]]:
    """Yield the real series by name; no half of them was looked at."""
    with (options.shared / "more" / "index.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["group"] and row["kind"].startswith("series")]
    groups: dict[str, list[Path]] = defaultdict(list)
    for file_name, row in {row["file"]: row for row in reversed(rows)}.items():  # some files are in two groups
        groups[row["group"]].append(options.shared / "more" / file_name)
    yield from sorted((name, sorted(paths)) for name, paths in groups.items())


def cycles(options: argparse.Namespace) -> None:
    """Print how many neighbours of real series are comparable, and how far a -> b -> c -> a ends from its start."""
    print("\n## Real series: neighbours and every fourth frame\n")
    print("| series | frames | step | comparable | by ECC | cycle px p50 | p95 |\n|---|---|---|---|---|---|---|")
    for name, paths in series(options):
        frames = [prepare(pixels_of(path)) for path in paths]
        for step in (1, 4):
            print(_cycle_row(name, frames, step), flush=True)


def _cycle_row(name: str, frames: list[Prepared], step: int) -> str:
    pairs = [(a, a + step) for a in range(len(frames) - step)]
    results = {pair: align_prepared(frames[pair[0]], frames[pair[1]]) for pair in pairs}
    ends = []
    for a in range(len(frames) - 2 * step):
        legs = [results[a, a + step], results[a + step, a + 2 * step], align_prepared(frames[a + 2 * step], frames[a])]
        if all(isinstance(leg, Alignment) for leg in legs):
            whole = legs[0].matrix @ legs[1].matrix @ legs[2].matrix  # type: ignore[union-attr]
            ends.append(corner_error(whole, np.eye(3), *(frames[a].luma.shape,) * 2))
    good = [found for found in results.values() if isinstance(found, Alignment)]
    ecc = sum(found.method == "ecc" for found in good)
    middle, high = np.percentile(ends, (50, 95)) if ends else (np.nan, np.nan)
    return f"| {name} | {len(frames)} | {step} | {len(good)}/{len(results)} | {ecc} | {middle:.2f} | {high:.2f} |"


def unrelated(options: argparse.Namespace) -> Iterator[tuple[str, Path, Path]]:
    """Yield pairs of photos of different scenes: of any sources, of one source, and of different series."""
    rng = np.random.default_rng(options.seed + 1)
    small = [p for p in sorted((options.shared / "photos").rglob("*.jpg")) if held_out(p.name) != options.developed]
    small = [small[index] for index in sorted(rng.permutation(len(small))[: options.pool])]
    more = [path for source, path in _all_photographs(options) if source not in {"photos 640 px", "camera 6-10 MP"}]
    more = [more[index] for index in sorted(rng.permutation(len(more))[: options.pool // 3])]
    everything = small + more
    for _ in range(options.unrelated):
        one, other = rng.choice(len(everything), 2, replace=False)
        yield "any sources", everything[one], everything[other]
    folders = [list(group) for _, group in itertools.groupby(small, key=lambda path: path.parent)]
    folders = [folder for folder in folders if len(folder) > 1]
    shares = np.array([len(folder) for folder in folders]) / sum(len(folder) for folder in folders)
    for _ in range(options.unrelated):
        folder = folders[int(rng.choice(len(folders), p=shares))]
        one, other = rng.choice(len(folder), 2, replace=False)
        yield "one source", folder[one], folder[other]
    groups = [paths for _, paths in series(options)]
    for one_group, other_group in itertools.permutations(groups, 2):
        for _ in range(options.unrelated // 50):
            ones, others = (group[int(rng.integers(len(group)))] for group in (one_group, other_group))
            yield "different series", ones, others


@functools.cache
def ready(path: Path, light: str) -> Prepared:
    """Return a photo as it is, dark, or a blank one of its size, prepared for alignment."""
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(path.name.encode()).digest()[:4], "big"))
    frame = pixels_of(path)
    if light == "dark":
        frame = lit(exposed(frame, -3.0), "noise", rng, second=True)
    elif light == "blank":
        frame = lit(np.full(frame.shape, int(rng.integers(0, 256)), np.uint8), "all", rng, second=True)
    return prepare(frame)


def strangers(options: argparse.Namespace) -> Iterator[Found]:
    """Yield the results of pairs of different scenes; of the second frames a fifth is dark, a twentieth blank."""
    rng = np.random.default_rng(options.seed + 2)
    pairs = list(unrelated(options))
    for index in rng.permutation(len(pairs)):
        source, one, other = pairs[index]
        light = str(rng.choice(["as it is", "dark", "blank"], p=[0.75, 0.2, 0.05]))
        pair = ready(one, "as it is"), ready(other, light)
        start = time.process_time()
        found = align_prepared(*pair)
        spent = time.process_time() - start
        yield noted(found, (source, f"{one.name} {other.name}", "none", light), None, (None, None), spent)


def table(found: list[Found], key: str) -> None:
    """Print a table of pairs with a known map, by one property."""
    print(
        f"\n| {key} | pairs | comparable | by ECC | within {BAR} px, of all pairs (95 %) | px p50 | p95 of comparable |"
    )
    print("|---|---|---|---|---|---|---|")
    rows: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        rows[getattr(one, key)].append(one)
    for name, ones in [*rows.items(), ("all", found)]:
        errors = np.array([one.error for one in ones if one.error is not None])
        good = int((errors <= BAR).sum())
        low, high = wilson(good, len(ones))
        middle, most = np.percentile(errors, (50, 95)) if len(errors) else (np.nan, np.nan)
        share = f"{good / len(ones):.3f} ({low:.3f}..{high:.3f})"
        ecc = sum(one.method == "ecc" for one in ones)
        print(f"| {name} | {len(ones)} | {len(errors)} | {ecc} | {share} | {middle:.3f} | {most:.3f} |")


def wrong_table(found: list[Found]) -> None:
    """Print how many pairs of different scenes were laid on one another, and which."""
    print(
        "\n## Pairs of different scenes\n\n"
        "| pairs | light | count | features | ecc | upper 95 % |\n|---|---|---|---|---|---|"
    )
    rows: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for one in found:
        rows[one.source, one.light].append(one)
    for (source, light), ones in [*sorted(rows.items()), (("all", ""), found)]:
        by = [sum(one.method == method for one in ones) for method in ("features", "ecc")]
        print(f"| {source} | {light} | {len(ones)} | {by[0]} | {by[1]} | {wilson(sum(by), len(ones))[1]:.5f} |")
    for one in found:
        if one.comparable:
            print(f"WRONG {one.source} {one.name} {one.light} {one.method} {one.inliers} {one.ratio:.2f}")


def cost(options: argparse.Namespace) -> None:
    """Print the time of two frames of 24 megapixels, made of the first camera photo."""
    path = next(path for source, path in photographs(options) if source == "camera 6-10 MP")
    large = np.asarray(cv2.resize(pixels_of(path), (6000, 4000), interpolation=cv2.INTER_CUBIC), np.uint8)
    first, second, _ = view(large, "burst", np.random.default_rng(0))
    first, second = (np.asarray(cv2.resize(frame, (6000, 4000)), np.uint8) for frame in (first, second))
    for threads in (1, 2):
        cv2.setNumThreads(threads)
        wall, work = [], []
        for _ in range(5):
            start, spent = time.perf_counter(), time.process_time()
            align(first, second)
            wall.append(time.perf_counter() - start)
            work.append(time.process_time() - spent)
        print(
            f"\nTwo frames of 24 MP, {threads} threads: {np.median(wall):.2f} s, {np.median(work):.2f} s of processor"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, metavar="DIR", help="the shared photographs")
    parser.add_argument(
        "--scenes",
        type=int,
        default=50,
        help="how many photos of a kind; a third of cameras, thrice of 640 px (default 50)",
    )
    parser.add_argument(
        "--unrelated", type=int, default=1000, help="pairs of different scenes of a kind (default 1000)"
    )
    parser.add_argument("--pool", type=int, default=200, help="photos of 640 px that they are made of (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="draws other homographies (default 0)")
    parser.add_argument("--developed", action="store_true", help="measure on the half that was developed on")
    parser.add_argument("--records", type=Path, metavar="FILE", help="where each pair is written, as JSON lines")
    parser.add_argument("--only", choices=("related", "series", "unrelated", "cost"), help="one part alone")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"OpenCV {cv2.__version__}, {'even' if options.developed else 'odd'} half")
    records: list[Found] = []
    if options.only in {None, "related"}:
        records += (pairs := _noted(related(options), options.records))
        print("\n## Pairs with a known map")
        for key in ("source", "light", "view"):
            table(pairs, key)
    if options.only in {None, "series"}:
        cycles(options)
    if options.only in {None, "unrelated"}:
        wrong_table(_noted(strangers(options), options.records))
    if options.only in {None, "cost"}:
        cost(options)


def _noted(found: Iterator[Found], file: Path | None) -> list[Found]:
    """Return all results, each written to the file as soon as it is there."""
    kept: list[Found] = []
    for one in found:
        kept.append(one)
        if file:
            with file.open("a") as lines:
                row: dict[str, Any] = asdict(one)
                lines.write(json.dumps(row) + "\n")
    return kept


if __name__ == "__main__":
    main()
