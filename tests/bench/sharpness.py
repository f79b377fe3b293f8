"""How often the sharper of two frames is ranked first, and how well the number tells sharp scenes from soft ones.

`PYTHONPATH=tests .venv/bin/python -m bench.sharpness --photos DIR --camera DIR` prints the table. Scenes are split by
name: the measure was developed on one half, and this command measures on the other one.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.degradations import BLURS, Plane, Take, blurred, luma_of, seed_of, taken
from culld.app.review.intervals import wilson
from culld.imaging.sharpness import Lead, Sharpness, lead, sharpness_of

Pair = tuple[Take, Take]
JPEGS = (80, 85, 90, 95)
NONE = BLURS[0]


def pairs(seed: int) -> dict[str, Pair]:
    """Return the takes of the sharp and of the soft frame by the name of the column; the seed draws movements."""
    rng = np.random.default_rng(seed)
    both = {"noise 0": (0, 0), "noise 3": (3, 3), "noise 8": (8, 8), "8, soft 3": (8, 3), "3, soft 8": (3, 8)}
    found = {name: (Take(sharp), Take(soft)) for name, (sharp, soft) in both.items()}
    first, second = (int(quality) for quality in rng.choice(JPEGS, 2))
    found["JPEG"] = (Take(3, first), Take(3, second))
    found["moved"] = (
        Take(3, turn=0.5, shift=tuple(rng.uniform(-4, 4, 2))),
        Take(3, turn=-0.5, shift=tuple(rng.uniform(-4, 4, 2))),
    )
    found["mosaic 8"] = (Take(8, mosaic=True), Take(8, mosaic=True))
    found["all"] = tuple(replace(take, noise=5, quality=90, mosaic=True) for take in found["moved"])  # type: ignore[assignment]
    found["halos"] = (Take(2, halo=100), Take(2, halo=100))
    found["soft halo"] = (Take(2), Take(2, halo=100))
    found["half size"] = (Take(3, scale=0.5), Take(3, scale=0.5))
    return found


def held_out(name: str) -> bool:
    """Return whether a photo belongs to the half that is measured."""
    return hashlib.sha256(name.encode()).digest()[-1] % 2 == 1


def scenes(options: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Yield source and path of each scene."""
    photos = sorted(options.photos.rglob("*.jpg"))
    half = [path for path in photos if held_out(path.relative_to(options.photos).as_posix()) != options.developed]
    order = np.random.default_rng(0).permutation(len(half))[: options.scenes]
    yield from (("photos", half[index]) for index in sorted(order))
    if options.camera:
        originals = [path for path in sorted(options.camera.rglob("*.*")) if path.suffix.lower() == ".jpg"]
        native = [path for path in originals if path.parent.name == "dresden" or ".orig" in path.name]
        yield from (("camera", path) for path in native if held_out(path.name) != options.developed)


class Table:
    """Counts of pairs by source, blur and column, and the numbers of single frames."""

    def __init__(self) -> None:
        """Start without pairs."""
        self.leads: dict[tuple[str, tuple[str, float], str], list[Lead]] = defaultdict(list)
        self.values: dict[tuple[str, str, bool], list[Sharpness]] = defaultdict(list)
        self.wrong: list[str] = []

    def add(self, source: str, path: Path) -> None:
        """Measure all pairs of one scene."""
        sharp = luma_of(path)
        seed = seed_of(path.name)
        takes = pairs(seed)
        first = {name: sharpness_of(taken(sharp, pair[0], seed)) for name, pair in takes.items()}
        for name, found in first.items():
            self.values[source, name, True].append(found)
        for blur in BLURS:
            soft = blurred(sharp, blur, np.random.default_rng(seed))
            for name, pair in takes.items():
                second = sharpness_of(taken(soft, pair[1], seed + 1))
                ahead = lead(first[name], second)
                self.leads[source, blur, name].append(ahead)
                if blur == ("Gaussian", 2):
                    self.values[source, name, False].append(second)
                if ahead.amount <= 0 and blur != NONE and name != "soft halo":
                    kind = "tie" if ahead.tie else "WRONG"
                    self.wrong.append(f"{kind} {path.name} {blur[0]} {blur[1]} {name} {ahead.amount:.3f}")

    def write(self, source: str) -> None:
        """Print the table of one source: right / all, and how many are ties; of equal frames, the ties alone."""
        columns = list(pairs(0))
        print(f"\n## {source}: the sharper frame first\n\n| blur | {' | '.join(columns)} |")
        print(f"|{'---|' * (len(columns) + 1)}")
        cells = [_told_equal(self.leads[source, NONE, name]) for name in columns]
        print(f"| none: ties | {' | '.join(cells)} |")
        for blur in BLURS[1:]:
            cells = [_cell(self.leads[source, blur, name]) for name in columns]
            print(f"| {blur[0]} {blur[1]} | {' | '.join(cells)} |")
        cells = [_cell([one for blur in BLURS[1:] for one in self.leads[source, blur, name]]) for name in columns]
        print(f"| all | {' | '.join(cells)} |")
        cells = [_interval([one for blur in BLURS[1:] for one in self.leads[source, blur, name]]) for name in columns]
        print(f"| 95 % | {' | '.join(cells)} |")
        cells = [f"{self._auc(source, name):.4f}" for name in columns]
        print(f"| AUC of the number, sharp against Gaussian 2 | {' | '.join(cells)} |")

    def _auc(self, source: str, name: str) -> float:
        sharp, soft = ([one.value for one in self.values[source, name, kind]] for kind in (True, False))
        return auc(np.array(sharp), np.array(soft))


def auc(high: NDArray[np.float64], low: NDArray[np.float64]) -> float:
    """Return the probability that a value of `high` is above one of `low`, ties counted half."""
    above = (high[:, None] > low[None]).mean() + 0.5 * (high[:, None] == low[None]).mean()
    return float(above)


def _cell(leads: Sequence[Lead]) -> str:
    right, ties = sum(one.amount > 0 for one in leads), sum(one.tie for one in leads)
    return f"{right}/{len(leads)}" + (f" ({ties} ties)" if ties else "")


def _told_equal(leads: Sequence[Lead]) -> str:
    return f"{sum(one.tie for one in leads)}/{len(leads)}"


def _interval(leads: Sequence[Lead]) -> str:
    low, high = wilson(sum(one.amount > 0 for one in leads), len(leads))
    return f"{low:.3f}..{high:.3f}"


def cost(plane: Plane) -> float:
    """Return the median milliseconds of one core for a picture of 6 megapixels, RGB."""
    tall = np.tile(plane.astype(np.uint8), (math.ceil(2000 / plane.shape[0]), math.ceil(3000 / plane.shape[1])))
    picture = np.repeat(tall[:2000, :3000, None], 3, axis=2)
    spent = []
    for _ in range(7):
        start = time.process_time()
        sharpness_of(picture)
        spent.append(time.process_time() - start)
    return 1000 * float(np.median(spent))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photographs, long side 640")
    parser.add_argument("--camera", type=Path, metavar="DIR", help="originals of cameras")
    parser.add_argument("--scenes", type=int, default=200, help="how many photos at most (default 200)")
    parser.add_argument(
        "--developed", action="store_true", help="measure on the half that the measure was developed on"
    )
    options = parser.parse_args()
    table = Table()
    found = list(scenes(options))
    for source, group in itertools.groupby(found, key=lambda scene: scene[0]):
        for _, path in group:
            table.add(source, path)
        table.write(source)
    print("\n" + "\n".join(table.wrong))
    print(f"\nOne picture of 6 megapixels: {cost(luma_of(found[0][1])):.0f} ms of one core")


if __name__ == "__main__":
    main()
