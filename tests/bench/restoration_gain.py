"""How far the rule of the gain can be trusted: on pairs with a known original, and on files that stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.report import table
from culld.app.review.intervals import wilson
from culld.enhance.gain import Gain, GainRule, gain, load_rule
from culld.enhance.jpeg_quality import estimated_quality
from culld.enhance.restore import restore
from culld.inference.network import Network
from culld.training.dataset import Scene
from culld.training.restoration.export import SIDE
from culld.training.restoration.known_pairs import KnownPair, decibels, known_pair, read_photo
from culld.training.restoration.measure import figure

Pixels = NDArray[np.uint8]
_FINE = 85
_SPOILT = "clothing/"
"""A source whose photographs show blocks: they were compressed more strongly before they were collected."""
RANGES = ((1, 15), (16, 35), (36, 60), (61, 80), (81, 100))


@dataclass(frozen=True, slots=True)
class Judged:
    """A known pair, what the rule predicts of its repair, and its true gain in dB."""

    pair: KnownPair
    predicted: Gain
    truth: float


def judge(shared: Path, scenes: Sequence[Scene], network: Network, model: Path) -> Iterator[Judged]:
    """Yield a pair of each scene: whole photos, as culld meets them."""
    rule = load_rule(model)
    for scene in scenes:
        pair = known_pair(read_photo(shared / "photos" / scene.file), scene.file, 0, side=None)
        after = restore(pair.before, network)
        predicted = gain(pair.before, after, pair.quality, rule)
        yield Judged(pair, predicted, decibels(pair.before, after, pair.original))


def accepted_lines(judged: Sequence[Judged]) -> list[str]:
    """The table of accepted repairs: by kind of pair, and by the lowest quality that a photo had."""
    groups = {
        str(kind): [each for each in judged if each.pair.kind == kind]
        for kind in sorted({each.pair.kind for each in judged})
    }
    spoilt = [each for each in judged if each.pair.compression is not None]
    for low, high in RANGES:
        groups[f"quality {low} to {high}"] = [each for each in spoilt if low <= (each.pair.compression or 0) <= high]
    groups["all"] = list(judged)
    head = (
        "pairs",
        "number",
        "really better by 0.1 dB",
        "of these accepted",
        "accepted",
        "of these worse",
        "mean error, dB",
    )
    return table(head, [_accepted_line(name, rows) for name, rows in groups.items() if rows])


def _accepted_line(name: str, rows: Sequence[Judged]) -> list[str]:
    better = [each for each in rows if each.truth > 0.1]
    accepted = [each for each in rows if each.predicted.is_real]
    errors = [abs(each.predicted.decibels - max(each.truth, -1.5)) for each in rows]
    return [
        name,
        str(len(rows)),
        str(len(better)),
        share(sum(each.predicted.is_real for each in better), len(better)),
        str(len(accepted)),
        share(sum(each.truth <= 0 for each in accepted), len(accepted)),
        f"{figure(errors).mean:.2f}",
    ]


def untouched_lines(shared: Path, scenes: Sequence[Scene], network: Network, model: Path) -> list[str]:
    """The table of files as they are: photographs of the test, and a tile out of the middle of camera originals."""
    files = {
        f"photos without {_SPOILT}": [shared / "photos" / each.file for each in scenes if _SPOILT not in each.file],
        f"photos, {_SPOILT}": [shared / "photos" / each.file for each in scenes if _SPOILT in each.file],
        "camera": sorted((shared / "camera" / "dresden").glob("*.JPG")),
    }
    head = ("files", "number", "quality of their tables", "accepted", "share")
    return table(
        head, [line for name, paths in files.items() for line in _untouched(name, paths, network, load_rule(model))]
    )


def _untouched(name: str, paths: Sequence[Path], network: Network, rule: GainRule) -> Iterator[list[str]]:
    """Yield a line of the fine files and one of the others: cameras compress as well."""
    found: list[tuple[int, bool]] = []
    for path in paths:
        pixels = middle(read_photo(path))
        with Image.open(path) as image:
            quality = estimated_quality(getattr(image, "quantization", None))
        found.append((quality or 100, gain(pixels, restore(pixels, network), quality, rule).is_real))
    for low, high in ((_FINE, 100), (1, _FINE - 1)):
        kept = [(quality, real) for quality, real in found if low <= quality <= high]
        if kept:
            accepted, qualities = sum(real for _, real in kept), sorted(quality for quality, _ in kept)
            yield [
                name,
                str(len(kept)),
                f"{qualities[0]} to {qualities[-1]}",
                str(accepted),
                share(accepted, len(kept)),
            ]


def middle(photo: Pixels, side: int = SIDE) -> Pixels:
    """Return at most a tile out of the middle of a photo, where the grid of blocks begins with it."""
    top, left = (max(0, (length - side) // 16 * 8) for length in photo.shape[:2])
    return np.ascontiguousarray(photo[top : top + side, left : left + side])


def share(count: int, of: int) -> str:
    """Return a share with its interval."""
    if not of:
        return "-"
    low, high = wilson(count, of)
    return f"{count / of:.1%} ({low:.1%} to {high:.1%})"
