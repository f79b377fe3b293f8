"""What the maps of `culld compare` find, and what they leave dark, on real photos with drawn changes.

`PYTHONPATH=tests .venv/bin/python -m bench.compare_maps --shared DIR` prints the tables. Scenes are split by the digest
of their names: the maps were developed on one half, and this command measures on the other one. Each pair goes through
the whole comparison, alignment included.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2  # noqa: TID253 (a bench of what OpenCV computes)
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bench.degradations import seed_of
from culld.app.review.intervals import wilson
from culld.compare.difference import CHANGED, Difference, compare, without_specks
from culld.compare.light import LINEAR
from culld.compare.registry import entry, open_model
from culld.compare.sharpness_change import MARKED
from culld.imaging.encode import jpeg_roundtrip
from culld.training.blur_kernels import disk
from culld.training.change.pairs import KINDS, UNCHANGED, make_pair

Frame = NDArray[np.uint8]
Plane = NDArray[np.float32]

LONGEST = 1024
"""Longer side in px of the drawn pairs; the radii of the table are in these pixels."""
RADII = (2, 3, 4, 6)
EXPOSURES = (-2, -1, 1, 2)
_MOST_AREA = 0.02
"""The content map may light up on this share of a pair that is refocused and nothing else."""
_MOST_OF_REGION = 0.8


@dataclass(frozen=True, slots=True)
class Case:
    """One pair: its name in the table, both frames, and where one is out of focus (None: nowhere)."""

    name: str
    first: Frame
    second: Frame
    refocused: NDArray[np.bool_] | None = None


def held_out(name: str) -> bool:
    """Return whether a photo belongs to the half that is measured."""
    return hashlib.sha256(name.encode()).digest()[-1] % 2 == 1


def scenes(shared: Path, most: int, *, developed: bool) -> Iterator[tuple[str, Path]]:
    """Yield source and path of each scene of one half."""
    sources = {
        "photos": sorted((shared / "photos").rglob("*.jpg")),
        "camera": sorted((shared / "camera" / "dresden").glob("*.JPG")),
        "more": [
            path
            for folder in ("bokeh", "night_lowkey", "highkey", "sharp")
            for path in sorted((shared / "more" / folder).glob("*.jpg"))
        ],
    }
    for source, paths in sources.items():
        half = [path for path in paths if held_out(path.name) != developed]
        order = np.random.default_rng(0).permutation(len(half))[:most]
        yield from ((source, half[index]) for index in sorted(order))


def decoded(path: Path, longest: int = LONGEST) -> Frame:
    """Return a photo upright, reduced to this longer side."""
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((longest, longest), Image.Resampling.BICUBIC)
    return np.asarray(upright)


def cases(frame: Frame, rng: np.random.Generator) -> Iterator[Case]:
    """Yield the pairs of one scene; content changes in none of them."""
    light = LINEAR[frame]
    first = shot(light, rng)
    for radius in RADII:
        yield Case(
            f"refocus {radius} px",
            first,
            shot(defocused(light, radius), rng, move=True),
            np.ones(frame.shape[:2], bool),
        )
    for radius in RADII:
        region, soft = drawn_region(frame.shape[:2], rng)
        mixed = light * (1 - soft) + defocused(light, radius) * soft
        yield Case(f"region {radius} px", first, shot(mixed, rng, move=True), region)
    for ev in EXPOSURES:
        yield Case(f"exposure {ev:+} EV", first, shot(light * 2.0**ev, rng, move=True))
    yield Case("white balance", first, shot(light * np.array([1.25, 1, 0.8], np.float32), rng))
    yield Case("noise 8", first, shot(light, rng, noise=8))
    yield Case("JPEG 50", first, shot(light, rng, quality=50))
    both = defocused(light, 3) * 2.0 ** rng.uniform(-1, 1)
    yield Case("all", first, shot(both.astype(np.float32), rng, noise=6, quality=75, move=True))


def shot(light: Plane, rng: np.random.Generator, noise: float = 2, quality: int = 90, *, move: bool = False) -> Frame:
    """Return linear light as a photo: turned by up to half a degree and moved by up to 4 px, noise, JPEG."""
    height, width = light.shape[:2]
    if move:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-0.5, 0.5), 1)
        turn[:, 2] += rng.uniform(-4, 4, 2)
        light = np.asarray(
            cv2.warpAffine(
                light.astype(np.float32), turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
            ),
            np.float32,
        )
    bounded = np.clip(light, 0, 1)
    level = 255 * np.where(bounded <= 0.0031308, 12.92 * bounded, 1.055 * bounded ** (1 / 2.4) - 0.055)
    noisy = np.clip(np.round(level + rng.normal(0, noise, level.shape)), 0, 255).astype(np.uint8)
    return jpeg_roundtrip(noisy, quality)


def defocused(light: Plane, radius: float) -> Plane:
    """Return linear light under a disk."""
    return np.asarray(
        cv2.filter2D(light.astype(np.float32), -1, disk(radius), borderType=cv2.BORDER_REFLECT), np.float32
    )


def drawn_region(size: tuple[int, ...], rng: np.random.Generator) -> tuple[NDArray[np.bool_], Plane]:
    """Return a rectangle of a quarter of the frame, as a mask and with a soft border (height, width, 1)."""
    top, left = (int(rng.uniform(0, 0.5) * side) for side in size)
    mask = np.zeros(size, np.bool_)
    mask[top : top + size[0] // 2, left : left + size[1] // 2] = True
    return mask, np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 4), np.float32)[..., None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found of a pair: the changed share, the shares of the refocused cells that are marked, the winner.

    `of_textured` counts cells with edges in the refocused region, and `of_all` all of its cells; NaN without a region.
    """

    changed: float
    of_textured: float
    of_all: float
    beside: float
    sharper: str


def outcome_of(case: Case) -> Outcome | None:
    """Compare a pair; None where it is not comparable."""
    found = compare(case.first, case.second)
    if not isinstance(found, Difference):
        return None
    marked = found.sharpness > MARKED
    shares = (float("nan"),) * 3
    if case.refocused is not None:
        shares = _shares(found, marked, case.refocused)
    return Outcome(found.changed, *shares, found.sharper)


def _shares(found: Difference, marked: NDArray[np.bool_], refocused: NDArray[np.bool_]) -> tuple[float, float, float]:
    rows, columns = found.sharpness.shape
    part = cv2.resize(refocused.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    inside, outside, textured = part > 0.99, part < 0.01, np.isfinite(found.sharpness)
    beside = (np.abs(found.sharpness) > MARKED) & outside
    return (
        _share(marked & inside & textured, inside & textured),
        _share(marked & inside, inside),
        _share(beside & textured, outside & textured),
    )


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float:
    count = int(whole.sum())
    return float(part.sum()) / count if count else float("nan")


def print_table(source: str, outcomes: dict[str, list[Outcome | None]]) -> None:
    """Print a row for each kind of pair."""
    print(f"\n## {source}\n")
    print("| pair | compared | changed: median, 95th | under 2 % | marked: edges, all, beside | over 80 % | sharper |")
    print("|---|---|---|---|---|---|---|")
    for name, all_found in outcomes.items():
        found = [one for one in all_found if one is not None]
        if not found:
            print(f"| {name} | 0/{len(all_found)} | | | | | |")
            continue
        changed = np.array([one.changed for one in found])
        textured = np.array([one.of_textured for one in found])
        cells = [f"{len(found)}/{len(all_found)}"]
        cells.append(f"{np.median(changed):.2%}, {np.quantile(changed, 0.95):.2%}")
        cells.append(_counted(int((changed < _MOST_AREA).sum()), len(found)))
        known = textured[np.isfinite(textured)]
        if known.size:
            of_all = float(np.nanmean([one.of_all for one in found]))
            outside = [one.beside for one in found if np.isfinite(one.beside)]
            beside = f"{np.mean(outside):.1%}" if outside else "-"
            cells.append(f"{known.mean():.1%}, {of_all:.1%}, {beside}")
            cells.append(_counted(int((known > _MOST_OF_REGION).sum()), known.size))
        else:
            cells += ["", ""]
        winners = [one.sharper for one in found]
        cells.append(", ".join(f"{winner} {winners.count(winner)}" for winner in sorted(set(winners))))
        print(f"| {name} | {' | '.join(cells)} |")


def _counted(hits: int, total: int) -> str:
    low, high = wilson(hits, total)
    return f"{hits}/{total} ({low:.2f}..{high:.2f})"


def print_pairs(paths: list[Path], count: int) -> None:
    """Print IoU of the content map and of the plain baselines on drawn pairs, with bootstrap intervals over scenes."""
    print(f"\n## Content on drawn pairs (training.change.pairs), {count} scenes, threshold {CHANGED}\n")
    print("| model | all (micro) | " + " | ".join(kind for kind in KINDS if kind != UNCHANGED) + " | unchanged: area |")
    print(f"|{'---|' * (len(KINDS) + 2)}")
    models = {name: open_model(entry(name)) for name in ("content", "absdiff", "ssim")}
    counts: dict[str, list[dict[str, tuple[int, int]]]] = {name: [] for name in models}
    for number, path in enumerate(paths[:count]):
        other = decoded(paths[(number + 7) % len(paths)], 640)
        photo = decoded(path, 640)
        rows: dict[str, dict[str, tuple[int, int]]] = {name: {} for name in models}
        for index, kind in enumerate(KINDS):
            pair = make_pair(photo, other, np.random.default_rng([seed_of(path.name), index]), kind=kind)
            for name, model in models.items():
                found = without_specks(model(pair.first, pair.second) > CHANGED)
                both = int((found & pair.mask).sum())
                rows[name][kind] = (both, int((found | pair.mask).sum()))
        for name, row in rows.items():
            counts[name].append(row)
    for name, table in counts.items():
        print(f"| {name} | {' | '.join(_iou_cells(table))} |")


def _iou_cells(table: list[dict[str, tuple[int, int]]]) -> Iterator[str]:
    kinds = [kind for kind in KINDS if kind != UNCHANGED]
    sums = {kind: np.array([row[kind] for row in table], np.float64) for kind in KINDS}
    yield _interval(np.sum([sums[kind] for kind in kinds], axis=0), _ratio)
    for kind in kinds:
        yield _interval(sums[kind], _ratio)
    yield _interval(sums[UNCHANGED][:, 1:] / (384 * 512), lambda rows: float(rows.mean()))


def _ratio(rows: NDArray[np.float64]) -> float:
    return float(rows[:, 0].sum() / max(1.0, rows[:, 1].sum()))


def _interval(rows: NDArray[np.float64], reduce: Callable[[NDArray[np.float64]], float]) -> str:
    """Return a figure with its 95 % interval, from 500 draws of the scenes."""
    rng = np.random.default_rng(0)
    draws = [reduce(rows[rng.integers(len(rows), size=len(rows))]) for _ in range(500)]
    low, high = np.quantile(draws, (0.025, 0.975))
    return f"{reduce(rows):.3f} ({low:.3f}..{high:.3f})"


def print_stacks(folder: Path) -> None:
    """Print the changed share of neighbouring frames of real focus stacks, in which nothing but the focus changes."""
    print("\n## Real focus stacks: neighbouring frames\n")
    print("| stack | compared | changed: median, largest | under 2 % |")
    print("|---|---|---|---|")
    paths = sorted(folder.glob("*.jpg"))
    for prefix, group in itertools.groupby(paths, key=lambda path: path.name[:3]):
        frames = list(group)
        found = [compare(decoded(one), decoded(other)) for one, other in itertools.pairwise(frames)]
        changed = np.array([one.changed for one in found if isinstance(one, Difference)])
        shown = f"{np.median(changed):.2%}, {changed.max():.2%}" if changed.size else "-"
        under = _counted(int((changed < _MOST_AREA).sum()), changed.size) if changed.size else "-"
        print(f"| {prefix} | {changed.size}/{len(found)} | {shown} | {under} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, metavar="DIR", help="photos, camera, more")
    parser.add_argument("--scenes", type=int, default=40, help="scenes of each source at most (default 40)")
    parser.add_argument("--pairs", type=int, default=100, help="scenes of drawn pairs (default 100)")
    parser.add_argument("--only", choices=("cases", "pairs", "stacks"), help="print only these tables")
    parser.add_argument("--developed", action="store_true", help="measure on the half that the maps were developed on")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    chosen = functools.partial(scenes, options.shared, developed=options.developed)
    if options.only in {None, "cases"}:
        print_cases(chosen(options.scenes))
    if options.only in {None, "pairs"}:
        print_pairs([path for source, path in chosen(options.pairs) if source == "photos"], options.pairs)
    if options.only in {None, "stacks"}:
        print_stacks(options.shared / "more" / "series_focus")


def print_cases(chosen: Iterator[tuple[str, Path]]) -> None:
    """Print the table of each source, and the cost of a comparison."""
    spent, count = 0.0, 0
    for source, group in itertools.groupby(chosen, key=lambda scene: scene[0]):
        outcomes: dict[str, list[Outcome | None]] = defaultdict(list)
        for _, path in group:
            for case in cases(decoded(path), np.random.default_rng(seed_of(path.name))):
                start = time.process_time()
                outcomes[case.name].append(outcome_of(case))
                spent, count = spent + time.process_time() - start, count + 1
        print_table(source, outcomes)
    print(f"\nA comparison of two photos of {LONGEST} px: {1000 * spent / count:.0f} ms of one core")


if __name__ == "__main__":
    main()
