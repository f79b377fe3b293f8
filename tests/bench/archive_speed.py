"""The speed of `culld archive score` beside `culld once` on the same drawn photos, in turns; prints Markdown.

`PYTHONPATH=tests .venv/bin/python -m bench.archive_speed [--photos N] [--rounds N] [--size 3000x2000]`. Both use two
workers. The start is left out: that of `culld once` is its time without photos, that of an archive the time before its
actors can score.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.report import table
from harness import factories

CULLD = Path(sys.executable).with_name("culld")
ONCE = "culld once, 2 workers"
COMMANDS = {
    "culld archive score, 2 actors": ("--workers=2",),
    "the same, 1 actor": ("--workers=1",),
    "--sharpness none, 2 actors": ("--workers=2", "--sharpness=none"),
    "--sharpness all, 2 actors": ("--workers=2", "--sharpness=all"),
}
CONFIG = "watch: [{path: %s}]\nquarantine: q\nstate: s\nworkers: 2\n"


def drawn(folder: Path, count: int, size: tuple[int, int]) -> None:
    """Draw JPEGs, each another one."""
    folder.mkdir()
    for number in range(count):
        picture = factories.picture(number, size)
        (folder / f"{number:04}.jpg").write_bytes(factories.encoded(picture, quality=90))


def once_s(photos: Path) -> float:
    """The seconds of `culld once` with a new journal."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "culld.yaml"
        config.write_text(CONFIG % photos)
        begun = time.monotonic()
        subprocess.run([CULLD, "once", "--config", config], check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - begun


def archive_s(photos: Path, options: tuple[str, ...]) -> tuple[float, float]:
    """The seconds of an archive without its start, and its start."""
    with tempfile.TemporaryDirectory() as folder:
        shards = f"--shard-size={len(list(photos.iterdir())) // 10}"
        command = [CULLD, "archive", "score", photos, "--out", Path(folder) / "out", "--json", shards, *options]
        begun = time.monotonic()
        done = subprocess.run(command, check=True, capture_output=True)
        seconds = float(json.loads(done.stdout)["seconds"])
        return seconds, time.monotonic() - begun - seconds


def main() -> None:
    """Measure in turns, and print medians and ranges."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=160)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", default="3000x2000")
    args = parser.parse_args()
    width, height = map(int, args.size.split("x"))
    with tempfile.TemporaryDirectory() as temp:
        photos, empty = Path(temp) / "photos", Path(temp) / "empty"
        drawn(photos, args.photos, (width, height))
        empty.mkdir()
        times: dict[str, list[float]] = {name: [] for name in (ONCE, *COMMANDS)}
        starts: list[float] = []
        empties: list[float] = []
        for _ in range(args.rounds):
            empties.append(once_s(empty))
            times[ONCE].append(once_s(photos) - empties[-1])
            for name, options in COMMANDS.items():
                seconds, start = archive_s(photos, options)
                times[name].append(seconds)
                starts.append(start)
    _print(times, starts, empties, args.photos)


def _print(times: dict[str, list[float]], starts: list[float], empties: list[float], photos: int) -> None:
    middle: Callable[[str], float] = lambda name: statistics.median(times[name])  # noqa: E731 (short)
    rows = [
        (name, f"{middle(name):.2f}", f"{min(all_):.2f} to {max(all_):.2f}", f"{photos / middle(name):.1f}",
         f"{middle(ONCE) / middle(name):.2f}")
        for name, all_ in times.items()
    ]  # fmt: skip
    print("\n".join(table(("command", "seconds", "range", "photos a second", "beside `culld once`"), rows)))
    one, two = middle("the same, 1 actor"), middle("culld archive score, 2 actors")
    print(f"\n2 actors beside 1: {one / two:.2f} times. Start: culld once {statistics.median(empties):.1f} s,", end=" ")
    print(f"archive {min(starts):.1f} to {max(starts):.1f} s. Load: {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
