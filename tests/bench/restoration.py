"""Repair of JPEG compression beside its rivals, on scenes that the network never saw; prints Markdown.

`PYTHONPATH=tests .venv/bin/python -m bench.restoration --shared DIR [--model DIR]`. The photographs are those of the
test split of `photos`, and camera originals of `camera/dresden` with an odd checksum of their name, at half size.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.report import table
from bench.restoration_gain import accepted_lines, judge, untouched_lines
from culld.enhance.gain import load_rule
from culld.enhance.restore import open_restoration, restore
from culld.inference.card import load_card
from culld.inference.network import Network
from culld.training.dataset import Scene, Split, read_index, split
from culld.training.experiment import Splits
from culld.training.restoration.known_pairs import read_photo
from culld.training.restoration.measure import CASES, Case, Figure, scores, summary

Pixels = NDArray[np.uint8]
MODEL = Path(__file__).parents[2] / "models" / "restore-jpeg"
STRENGTHS = (6.0, 12.0, 20.0, 35.0)
"""Of the bilateral filter, in levels; the best one for each case is chosen on scenes of the calibration."""
JPEGQS = ("jpegqs", "jpegqs -q 6")
RIVALS = (*JPEGQS, "bilateral")
CROP = (640, 960)
"""Height and width that are cut out of a camera original at half size."""


@dataclass(frozen=True, slots=True)
class Source:
    """Photographs of one source, by name."""

    name: str
    photos: Sequence[tuple[str, Callable[[], Pixels]]]


def sources(shared: Path, parts: Split, count: int) -> Iterator[Source]:
    """Yield the sources: `count` scenes of the test, spread over it, and the camera originals."""
    folder = shared / "photos"
    yield Source(
        "photos", [(each.file, lambda file=each.file: read_photo(folder / file)) for each in spread(parts.test, count)]
    )
    originals = sorted((shared / "camera" / "dresden").glob("*.JPG"))
    odd = [path for path in originals if hashlib.sha256(path.name.encode()).digest()[-1] % 2]
    yield Source("camera", [(path.name, lambda path=path: halved(path)) for path in odd[:count]])


def spread(scenes: Sequence[Scene], count: int) -> Sequence[Scene]:
    """Return at most `count` scenes at even distances."""
    return scenes[:: max(1, len(scenes) // count)][:count]


def halved(path: Path) -> Pixels:
    """Return the middle of a camera original at half size: each pixel is the mean of four, so no block is left."""
    photo = read_photo(path)
    height, width = (length // 2 * 2 for length in photo.shape[:2])
    small = photo[:height, :width].reshape(height // 2, 2, width // 2, 2, 3).mean(axis=(1, 3))
    top, left = (small.shape[0] - CROP[0]) // 2, (small.shape[1] - CROP[1]) // 2
    return np.rint(small[top : top + CROP[0], left : left + CROP[1]]).astype(np.uint8)


def quant_smooth(data: bytes, *options: str) -> Pixels:
    """Return the picture of a JPEG file after `jpegqs`."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "in.jpg", Path(folder) / "out.jpg"
        before.write_bytes(data)
        subprocess.run(["jpegqs", *options, "-i", "0", before, after], check=True, capture_output=True)
        return read_photo(after)


def bilateral(pixels: Pixels, strength: float) -> Pixels:
    """Return a picture after a bilateral filter over 9 px."""
    import cv2

    return np.asarray(cv2.bilateralFilter(pixels, 9, strength, 3.0))


def best_strengths(photos: Iterable[Pixels]) -> dict[str, float]:
    """Return the strength of the bilateral filter that gains most, for each case."""
    pictures = list(photos)
    return {case.name: max(STRENGTHS, key=lambda strength: _mean_gain(case, pictures, strength)) for case in CASES}


def _mean_gain(case: Case, photos: Sequence[Pixels], strength: float) -> float:
    pairs = [case.pair(photo) for photo in photos]
    return float(np.mean([scores_psnr(bilateral(spoilt, strength), clean) for spoilt, clean in pairs]))


def scores_psnr(pixels: Pixels, original: Pixels) -> float:
    """Return the noise ratio in dB, at most 100."""
    error = float(np.mean(np.square(pixels.astype(np.float32) - original)))
    return min(100.0, 10 * float(np.log10(255**2 / max(error, 1e-9))))


class Rows:
    """The figures of one source, a row for each photo and case."""

    def __init__(self, network: Network, strengths: dict[str, float]) -> None:
        """Start without photos."""
        self._network, self._strengths = network, strengths
        self.found: dict[str, list[dict[str, float]]] = {case.name: [] for case in CASES}

    def add(self, photo: Pixels) -> None:
        """Measure one photo in all cases."""
        for case in CASES:
            self.found[case.name].append(self._row(case, photo))

    def _row(self, case: Case, photo: Pixels) -> dict[str, float]:
        data, original = case.file(photo)
        spoilt, _ = case.pair(photo)
        before, after = scores(spoilt, original), scores(restore(spoilt, self._network), original)
        row = {f"jpeg {name}": value for name, value in before.items()}
        row |= {f"ours {name}": value for name, value in after.items()}
        row["gain"] = after["psnr"] - before["psnr"]
        rivals = {"bilateral": bilateral(spoilt, self._strengths[case.name])}
        if data is not None and shutil.which("jpegqs"):
            rivals |= {"jpegqs": quant_smooth(data), "jpegqs -q 6": quant_smooth(data, "-q", "6")}
        gained = {name: scores_psnr(pixels, original) - before["psnr"] for name, pixels in rivals.items()}
        gains = {f"gain {name}": value for name, value in gained.items()}
        ahead = {f"ahead of {name}": row["gain"] - value for name, value in gained.items()} if data is not None else {}
        return {**row, **gains, **ahead}

    def lines(self) -> list[str]:
        """The table."""
        head = (
            "case",
            "JPEG, dB",
            "gain, dB (95 %)",
            "worst",
            "SSIM",
            "PSNR-B, dB",
            *(f"gain of {each}" for each in RIVALS),
        )
        return table((*head, "ahead of the better jpegqs"), [self._line(case.name) for case in CASES])

    def better_jpegqs(self, case: str) -> str:
        """The name of the way to run `jpegqs` that gains more in a case."""
        mean = summary(self.found[case])
        return max(JPEGQS, key=lambda name: mean[f"gain {name}"].mean if f"gain {name}" in mean else -99)

    def _line(self, case: str) -> list[str]:
        rows = self.found[case]
        mean = summary(rows)
        if mean["jpeg psnr"].mean >= 100:
            kept = f"{mean['ours psnr'].mean:.1f} dB to the photo itself"
            return [case, "equal", kept, f"{min(row['ours psnr'] for row in rows):.1f}", *["-"] * 6]
        best = self.better_jpegqs(case)
        return [
            case,
            f"{mean['jpeg psnr'].mean:.2f}",
            spelled(mean["gain"]),
            f"{min(row['gain'] for row in rows):+.2f}",
            f"{mean['jpeg ssim'].mean:.4f} to {mean['ours ssim'].mean:.4f}",
            f"{mean['jpeg psnrb'].mean:.2f} to {mean['ours psnrb'].mean:.2f}",
            *(f"{mean[f'gain {name}'].mean:+.2f}" if f"gain {name}" in mean else "not installed" for name in RIVALS),
            spelled(mean[f"ahead of {best}"]) if f"ahead of {best}" in mean else "not installed",
        ]


def spelled(value: Figure) -> str:
    """Return a gain with its interval."""
    return f"**{value.mean:+.2f}** ({value.low:+.2f} to {value.high:+.2f})"


@dataclass(frozen=True, slots=True)
class Restorations:
    """The rows of each source by its name, and the lines of the report."""

    sources: dict[str, Rows]
    lines: list[str]


def measured(shared: Path, model: Path, count: int = 60, pairs: int = 400) -> Restorations:
    """Measure `count` photos of each source, and the rule of the gain on so many pairs of scenes of the test."""
    network, card = open_restoration(model), load_card(model)
    parts = split(read_index(shared / "photos"), Splits())
    developed = [read_photo(shared / "photos" / scene.file) for scene in spread(parts.calibration, 8)]
    strengths = best_strengths(developed)
    lines = [f"# {card.id}", "", "Means over photographs, with 95 % intervals by bootstrap over photographs."]
    if shutil.which("jpegqs") is None:
        lines += ["", "`jpegqs` is skipped: it is not installed (Debian: `apt-get install jpegqs`)."]
    found: dict[str, Rows] = {}
    for source in sources(shared, parts, count):
        found[source.name] = rows = Rows(network, strengths)
        for _, read in source.photos:
            rows.add(read())
        lines += ["", f"## {source.name}: {len(source.photos)} photographs", "", *rows.lines()]
        lines += ["", f"Photographs: {', '.join(name for name, _ in source.photos)}."]
    judged = list(judge(shared, spread(parts.test, pairs), network, model))
    lines += ["", f"## Accepted by the rule, margin {load_rule(model).margin} dB", "", *accepted_lines(judged)]
    untouched = untouched_lines(shared, spread(parts.test, pairs // 4), network, model)
    lines += ["", "Files as they are, which were never degraded further:", "", *untouched]
    return Restorations(found, lines)


def arguments() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, metavar="DIR")
    parser.add_argument("--model", type=Path, default=MODEL, metavar="DIR")
    parser.add_argument("--count", type=int, default=60, metavar="N", help="photos of a source")
    parser.add_argument("--pairs", type=int, default=400, metavar="N", help="pairs for the rule of the gain")
    return parser.parse_args()


def main() -> None:
    """Print the tables."""
    options = arguments()
    print(*measured(options.shared, options.model, options.count, options.pairs).lines, sep="\n")


if __name__ == "__main__":
    main()
