"""`make bench`: culld beside CleanVision on the same photos, turn by turn, on this machine.

Figures are medians over the turns and hold for one machine and one run; compare the ratios. The photos are made here:
JPEGs of 6.3 megapixels, quality 92, about the weight of a camera's. Run it with the bench environment's Python, and
give it the installed culld.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image, ImageFilter

POLICY = """\
watch: [{{path: inbox}}]
quarantine: quarantine
state: state
workers: {workers}
settle: {{quiet: 100ms}}
policy: {{mode: enforce}}
"""


def main() -> None:
    """Make the photos, take turns, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--culld", type=Path, required=True, help="the installed culld command")
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="culld-bench-") as folder:
        _bench(options, Path(folder))


def _bench(options: argparse.Namespace, folder: Path) -> None:
    originals = folder / "originals"
    make_photos(originals, options.photos)
    megabytes = sum(path.stat().st_size for path in originals.iterdir()) / options.photos / 1e6
    print(f"{options.photos} JPEGs of 6.3 megapixels, {megabytes:.1f} MB each; medians of {options.turns} turns\n")
    culld, cleanvision = [], []
    for turn in range(options.turns):
        culld.append(time_culld(options, originals, folder / f"turn-{turn}"))
        cleanvision.append(time_cleanvision(originals, options.workers))
    start_up = statistics.median(time_command([options.culld, "--help"]) for _ in range(5))
    ours, theirs = statistics.median(culld), statistics.median(cleanvision)
    per_photo = 1000 / options.photos
    print(f"{'culld once, whole process':<42}{ours * per_photo:8.1f} ms a photo")
    print(f"{'CleanVision 0.3.7, inside the process':<42}{theirs * per_photo:8.1f} ms a photo")
    print(f"{'ratio':<42}{theirs / ours:8.1f}")
    print(f"{'culld --help':<42}{start_up * 1000:8.1f} ms")
    memory = daemon_memory(options, originals, folder / "daemon")
    print(f"{'daemon, all processes, resident':<42}{memory['rss']:8.0f} MB (peak while judging)")
    print(f"{'the same, shared pages counted once':<42}{memory['pss']:8.0f} MB")


def make_photos(folder: Path, count: int) -> None:
    """Different pictures of 3072x2048 pixels with edges and texture; every fourth is out of focus."""
    folder.mkdir()
    dice = np.random.default_rng(7)
    for number in range(count):
        small = dice.integers(0, 255, (64, 96, 3), dtype=np.uint8)
        image = Image.fromarray(small).resize((3072, 2048), Image.Resampling.NEAREST)
        grain = dice.normal(0, 9, (2048, 3072, 1)) + np.asarray(image, dtype=np.float32) * 0.8 + 20
        picture = Image.fromarray(grain.clip(0, 255).astype(np.uint8))
        if number % 4 == 0:
            picture = picture.filter(ImageFilter.GaussianBlur(40))
        picture.save(folder / f"{number:03}.jpg", quality=92)


def lay_out(options: argparse.Namespace, originals: Path, folder: Path) -> Path:
    """A fresh inbox with copies of the photos; returns the configuration file."""
    shutil.copytree(originals, folder / "inbox")
    config = folder / "culld.yaml"
    config.write_text(POLICY.format(workers=options.workers))
    time.sleep(0.3)
    return config


def time_culld(options: argparse.Namespace, originals: Path, folder: Path) -> float:
    """Seconds for `culld once` as a whole process, from start to exit."""
    config = lay_out(options, originals, folder)
    seconds = time_command([options.culld, "once", "--json", "--config", config])
    shutil.rmtree(folder)
    return seconds


def time_command(command: list[str | Path]) -> float:
    """Seconds that a command takes; it must succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def time_cleanvision(originals: Path, jobs: int) -> float:
    """Seconds that CleanVision takes for the same three questions, its imports not counted."""
    script = (
        "import json, sys, time\n"
        "from cleanvision import Imagelab\n"
        "if __name__ == '__main__':\n"
        "    start = time.perf_counter()\n"
        "    lab = Imagelab(data_path=sys.argv[1], verbose=False)\n"
        "    lab.find_issues({'blurry': {}, 'dark': {}, 'light': {}}, n_jobs=int(sys.argv[2]), verbose=False)\n"
        "    print(json.dumps(time.perf_counter() - start))\n"
    )
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(
            [sys.executable, file.name, originals, str(jobs)],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    return float(json.loads(done.stdout.splitlines()[-1]))


def daemon_memory(options: argparse.Namespace, originals: Path, folder: Path) -> dict[str, float]:
    """The most that `culld run` and its workers hold while they judge the photos, in MB."""
    config = lay_out(options, originals, folder)
    log = (folder / "log").open("w")
    process = psutil.Popen([options.culld, "run", "--config", config], stdout=log, stderr=log)
    peak = {"rss": 0.0, "pss": 0.0}
    deadline = time.monotonic() + 60
    try:
        while time.monotonic() < deadline and len(list(folder.glob("quarantine/*.jpg"))) < options.photos // 4:
            for kind, megabytes in _resident([process, *process.children(recursive=True)]).items():
                peak[kind] = max(peak[kind], megabytes)
            time.sleep(0.05)
    finally:
        process.terminate()
        process.wait(20)
        log.close()
    return peak


def _resident(processes: list[psutil.Process]) -> dict[str, float]:
    total = {"rss": 0.0, "pss": 0.0}
    for process in processes:
        try:
            memory = process.memory_full_info()
        except psutil.NoSuchProcess:
            continue
        total["rss"] += memory.rss / 1e6
        total["pss"] += memory.pss / 1e6
    return total


if __name__ == "__main__":
    main()
