"""Repair of JPEG compression beside its rivals, on scenes that the network never saw; prints Markdown.

`PYTHONPATH=tests .venv/bin/python -m bench.restoration --shared DIR [--model DIR]`. The photographs are those of the
test split of `photos`, and camera originals of `camera/dresden` with an odd checksum of their name, at half size.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import shutil
import subprocess
import tempfile
import time
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
RIVALS = ("jpegqs", "jpegqs -q 6", "bilateral")
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

    def _line(self, case: str) -> list[str]:
        rows = self.found[case]
        mean = summary(rows)
        if mean["jpeg psnr"].mean >= 100:
            kept = f"{mean['ours psnr'].mean:.1f} dB to the photo itself"
            return [case, "equal", kept, f"{min(row['ours psnr'] for row in rows):.1f}", *["-"] * 6]
        best = max(RIVALS[:2], key=lambda name: mean[f"gain {name}"].mean if f"gain {name}" in mean else -99)
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


def cost_lines(network: Network) -> list[str]:
    """The time of a megapixel at two sizes, wall clock with two threads, and the peak of memory."""
    rows = []
    for width, height in ((1600, 1200), (6000, 4000)):
        pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
        wall, core = time.perf_counter(), time.process_time()
        restore(pixels, network)
        wall, core = time.perf_counter() - wall, time.process_time() - core
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        million = width * height / 1e6
        rows.append([f"{million:.1f} MP", f"{wall / million:.2f}", f"{core / million:.2f}", str(peak)])
    return table(("photo", "s a megapixel, 2 threads", "s of one core", "peak of memory, MiB"), rows)


def arguments() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, metavar="DIR")
    parser.add_argument("--model", type=Path, default=MODEL, metavar="DIR")
    parser.add_argument("--count", type=int, default=60, metavar="N", help="photos of a source")
    parser.add_argument("--pairs", type=int, default=400, metavar="N", help="pairs for the rule of the gain")
    parser.add_argument("--no-time", action="store_true", help="leave out the time, on a machine that is busy")
    return parser.parse_args()


def main() -> None:
    """Print the tables."""
    options = arguments()
    network, card = open_restoration(options.model), load_card(options.model)
    parts = split(read_index(options.shared / "photos"), Splits())
    print(f"# {card.id}\n")
    if not options.no_time:
        print(*cost_lines(network), sep="\n", flush=True)
    developed = [read_photo(options.shared / "photos" / scene.file) for scene in spread(parts.calibration, 8)]
    strengths = best_strengths(developed)
    if shutil.which("jpegqs") is None:
        print("\n`jpegqs` is skipped: it is not installed (Debian: `apt-get install jpegqs`)")
    for source in sources(options.shared, parts, options.count):
        rows = Rows(network, strengths)
        for _, read in source.photos:
            rows.add(read())
        print(f"\n## {source.name}: {len(source.photos)} photographs\n", *rows.lines(), sep="\n")
        print(f"\nPhotographs: {', '.join(name for name, _ in source.photos)}.", flush=True)
    judged = list(judge(options.shared, spread(parts.test, options.pairs), network, options.model))
    print(
        f"\n## Accepted by the rule, margin {load_rule(options.model).margin} dB\n", *accepted_lines(judged), sep="\n"
    )
    untouched = untouched_lines(options.shared, spread(parts.test, options.pairs // 4), network, options.model)
    print("\nFiles as they are, which were never degraded further:\n", *untouched, sep="\n")


if __name__ == "__main__":
    main()
