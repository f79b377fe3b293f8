"""`make bench`: culld, its peers and the floor on the same photos, turn by turn, on this machine; keeps RESULTS.md.

Figures are medians over the turns and hold for one machine and one run; compare the ratios. Run it with the bench
environment's Python, and give it culld's own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import report
from house import Bench

HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared"
SCALES = (("100", "1"), ("1000", "10"), ("10000", "100"), ("10000", "1"), ("100000", "100"))
"""Photos, and the folders over which they are spread."""
PEERS_GET = 200

Call = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Contender:
    """A program that judges photos: its name, and a function that runs one turn and returns seconds and photos."""

    name: str
    turn: Callable[[], dict[str, Any]]


def main() -> None:
    """Make the photos, take turns, write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True, help="the Python that culld is installed for")
    parser.add_argument("--photos", type=int, default=1000, help="how many are dropped and swept")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--results", type=Path, default=HERE / "RESULTS.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="culld-bench-") as folder:
        figures = measure(options, Path(folder))
    report.write(figures, options.results)
    print(options.results.read_text("utf-8"))


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return all figures of the report."""
    python = Path(os.path.abspath(options.python))  # noqa: PTH100 (the link of an environment is not to be followed)
    ours, theirs = partial(_call, python, "programs.py"), partial(_call, Path(sys.executable), "peers.py")
    photos = folder / "photos"
    origin = ours("make", photos)
    six = photos / "6 MP JPEG"
    bench = Bench(python.parent / "culld", folder)
    many = bench.copy(sorted(six.iterdir()), folder / "many", options.photos)
    few = bench.copy(sorted(six.iterdir()), folder / "few", min(PEERS_GET, options.photos))
    contenders = (
        Contender("floor: reduced decode and interpreter only", lambda: ours("floor", many, 2)),
        Contender("culld once, from start to exit", lambda: bench.once(many)),
        Contender("culld run, from the drop to moved and tagged", lambda: bench.drop(many)),
        Contender("CleanVision 0.3.7, 2 jobs", lambda: theirs("cleanvision", few, 2)),
        Contender("OpenCV, variance of the Laplacian at 2 MP, 2 jobs", lambda: theirs("laplacian", few, 2)),
        Contender("OpenCV, perceptual hash as imagededup's, 2 jobs", lambda: theirs("phash", few, 2)),
        Contender("EfficientNetB0 in TensorFlow", lambda: ours("efficientnet", six)),
    )
    turns = _take_turns(contenders, options.turns)
    _say("other sizes and formats, memory, stages, decoders, scale")
    return {
        "machine": _machine(),
        "photos": options.photos,
        "turns": turns,
        "real": origin["real"],
        "megabytes": statistics.mean(path.stat().st_size for path in six.iterdir()) / 1e6,
        "start": statistics.median(bench.once(None)["seconds"] for _ in range(3)),
        "sizes": {kind.name: _sizes(kind, bench, ours, theirs) for kind in sorted(photos.iterdir())},
        "memory": {
            "culld once": bench.peak(lambda: bench.once(many)),
            "culld run, while a drop is judged": bench.peak(lambda: bench.drop(many)),
            "CleanVision, 2 jobs": bench.peak(lambda: theirs("cleanvision", few, 2)),
            "EfficientNetB0 in TensorFlow": ours("efficientnet", six)["peak"],
        },
        "loop": bench.cpu(many),
        "stages": ours("stages", six),
        "decoders": theirs("decoders", six),
        "parity": ours("parity", SHARED / "camera") if (SHARED / "camera").is_dir() else None,
        "precision": ours("precision", SHARED / "photos") if (SHARED / "photos").is_dir() else None,
        "scale": [ours("scale", *each) for each in SCALES],
    }


def _take_turns(contenders: tuple[Contender, ...], count: int) -> dict[str, list[float]]:
    """Return the ms per photo of each contender in each turn."""
    turns: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for number in range(count):
        for contender in contenders:
            _say(f"turn {number + 1} of {count}: {contender.name}")
            os.sync()  # so that the writes of one turn do not slow the next one
            found = contender.turn()
            turns[contender.name].append(1000 * found["seconds"] / found["photos"])
    return turns


def _sizes(kind: Path, bench: Bench, ours: Call, theirs: Call) -> dict[str, float | None]:
    """Milliseconds a photo of one kind: culld without its start, the floor, and CleanVision where it reads them."""
    count = 40 if kind.name.startswith("6") else 16
    photos = bench.copy(sorted(kind.iterdir()), kind.parent.parent / "sizes" / kind.name, count)
    start = bench.once(None)["seconds"]
    culld, floor = bench.once(photos)["seconds"] - start, ours("floor", photos, 2)["seconds"]
    cleanvision = None if "HEIC" in kind.name else theirs("cleanvision", photos, 2)["seconds"]
    shutil.rmtree(photos)
    found = {"culld": culld, "floor": floor, "CleanVision": cleanvision}
    return {name: None if seconds is None else 1000 * seconds / count for name, seconds in found.items()}


def _call(python: Path, program: str, *arguments: object) -> dict[str, Any]:
    """Run a part of a program and return the JSON object that it prints."""
    command = [python, HERE / program, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown CPU")
    cores, memory = len(os.sched_getaffinity(0)), psutil.virtual_memory().total / 2**30
    return f"{model}, {cores} cores, {memory:.0f} GB, no GPU used, Linux, Python {platform.python_version()}"


def _say(what: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
