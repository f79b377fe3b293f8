"""The cost of judging subjects: `culld once` of this tree against that of an older revision, turn by turn.

    python tests/bench/subject_cost.py --before REVISION [--photos 120] [--turns 5]

Three drops of JPEGs of 6 megapixels: without faces and series, with a face on every photo, and all in bursts of five
frames of which some are blurred. Prints the medians of the turns and their ratio for each. The photos are made from
camera originals and portraits of the shared folder.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import piexif
from PIL import Image, ImageFilter

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
SIZE = (3072, 2048)
BURST = 5
GRAIN = 4.0
"""The standard deviation of the grain in grey levels."""
CONFIG = """\
watch: [{path: inbox}]
quarantine: quarantine
state: state
workers: 2
policy: {mode: enforce, brake: {max_share: never}}
"""
_OLD_S = 3600


def scenes() -> list[Image.Image]:
    """The camera originals, as RGB."""
    return [Image.open(path).convert("RGB") for path in sorted((SHARED / "camera" / "dresden").glob("*.JPG"))]


def portraits() -> list[Image.Image]:
    """Photos of people with a face that fills a tenth of the height or more, by the folder of portraits."""
    return [Image.open(path).convert("RGB") for path in sorted((SHARED / "photos" / "human").glob("*.jpg"))]


def plain(count: int) -> Iterator[bytes]:
    """Photos without faces, every fourth out of focus."""
    sources = scenes()
    for number in range(count):
        yield encoded(cut(sources[number % len(sources)], number), blurred=number % 4 == 0)


def with_faces(count: int) -> Iterator[bytes]:
    """Portraits, enlarged to the size of a camera's photo, with grain, every fourth out of focus.

    Without grain such a photo has a third of the bytes of a camera's, and takes half as long to decode.
    """
    sources, dice = portraits(), np.random.default_rng(1)
    for number in range(count):
        enlarged = np.asarray(cut(sources[number % len(sources)], number), np.int16)
        grain = dice.normal(0, GRAIN, enlarged.shape[:2]).astype(np.int16)
        photo = Image.fromarray((enlarged + grain[..., None]).clip(0, 255).astype(np.uint8))
        yield encoded(photo, blurred=number % 4 == 0)


def in_bursts(count: int) -> Iterator[bytes]:
    """Bursts of five frames, three a second, from a hand that moves; the second and the fourth are out of focus."""
    sources, start = scenes(), datetime(2026, 1, 2, 12)  # noqa: DTZ001 (the clock of a camera)
    for number in range(count):
        burst, frame = divmod(number, BURST)
        taken = start + timedelta(minutes=10 * burst, seconds=frame // 3)
        yield encoded(panned(sources[burst % len(sources)], frame), blurred=frame in {1, 3}, taken=taken, frame=frame)


def cut(image: Image.Image, number: int) -> Image.Image:
    """A part of an image of its own for each number, in the size of the photos."""
    margin = number % 17
    box = (margin, margin, image.width - 17 + margin, image.height - 17 + margin)
    return image.crop(box).resize(SIZE, Image.Resampling.BICUBIC)


def panned(image: Image.Image, frame: int) -> Image.Image:
    """Nine tenths of an image, from another place for each frame of a burst."""
    width, height = round(0.9 * image.width), round(0.9 * image.height)
    left, top = ((image.width - width) * frame // BURST, (image.height - height) * (frame * 2 % BURST) // BURST)
    return image.crop((left, top, left + width, top + height)).resize(SIZE, Image.Resampling.BICUBIC)


def encoded(image: Image.Image, *, blurred: bool, taken: datetime | None = None, frame: int = 0) -> bytes:
    """The bytes of a photo, with the EXIF of a camera if a time is given."""
    stream, options = io.BytesIO(), {}
    if taken is not None:
        options["exif"] = piexif.dump(
            {
                "0th": {piexif.ImageIFD.Make: b"Camera", piexif.ImageIFD.Model: b"X1"},
                "Exif": {
                    piexif.ExifIFD.DateTimeOriginal: taken.strftime("%Y:%m:%d %H:%M:%S").encode(),
                    piexif.ExifIFD.SubSecTimeOriginal: str(frame % 3 * 33).encode(),
                    piexif.ExifIFD.ExposureTime: (1, 250),
                    piexif.ExifIFD.FNumber: (8, 1),
                    piexif.ExifIFD.ISOSpeedRatings: 200,
                    piexif.ExifIFD.FocalLength: (50, 1),
                },
            }
        )
    (image.filter(ImageFilter.GaussianBlur(14)) if blurred else image).save(stream, "JPEG", quality=92, **options)
    return stream.getvalue()


def turn(tree: Path, photos: Path, space: Path) -> tuple[float, int]:
    """Seconds of `culld once` of a tree on a copy of the photos, and how many it moved."""
    home = Path(tempfile.mkdtemp(dir=space))
    shutil.copytree(photos, home / "inbox")
    old = time.time() - _OLD_S
    for path in (home / "inbox").iterdir():
        os.utime(path, (old, old))
    (home / "culld.yaml").write_text(CONFIG)
    time.sleep(3)  # until every file has been quiet for long enough
    command = [sys.executable, "-m", "culld", "once", "--config", str(home / "culld.yaml")]
    begun = time.monotonic()
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(tree / "daemon")}, capture_output=True, text=True, check=False
    )
    took = time.monotonic() - begun
    moved = len(list((home / "quarantine").rglob("*.jpg")))
    if done.returncode:
        raise SystemExit(f"{tree}: culld once failed: {done.stderr}")
    shutil.rmtree(home)
    return took, moved


def measure(name: str, photos: Path, trees: dict[str, Path], turns: int, space: Path) -> None:
    """Print the medians and their ratio for one drop."""
    times: dict[str, list[float]] = {label: [] for label in trees}
    moved: dict[str, int] = {}
    for number in range(turns):
        for label in list(trees) if number % 2 else reversed(trees):
            seconds, moved[label] = turn(trees[label], photos, space)
            times[label].append(seconds)
    before, now = (statistics.median(times[label]) for label in ("before", "now"))
    pairs = sorted(new / old for old, new in zip(times["before"], times["now"], strict=True))
    print(
        f"{name:<12} before {before:6.2f} s, now {now:6.2f} s: {now / before:.3f}"
        f"  (pairs {pairs[0]:.3f} to {pairs[-1]:.3f}; moved {moved['before']} and {moved['now']})",
        flush=True,
    )


DROPS = {"plain": plain, "faces": with_faces, "bursts": in_bursts}


def main() -> None:
    """Make the photos, and measure each drop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", required=True, help="the older revision")
    parser.add_argument("--photos", type=int, default=120)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=DROPS, default=list(DROPS))
    args = parser.parse_args()
    if not SHARED.is_dir():
        raise SystemExit(f"needs the photographs of the shared folder beside the repository: {SHARED.name}")
    with tempfile.TemporaryDirectory() as folder:
        space = Path(folder)
        old = space / "before"
        subprocess.run(["git", "-C", ROOT, "worktree", "add", "--detach", "-q", old, args.before], check=True)
        try:
            for name in args.only:
                photos = space / name
                photos.mkdir()
                for number, data in enumerate(DROPS[name](args.photos)):
                    (photos / f"{number:04}.jpg").write_bytes(data)
                measure(name, photos, {"before": old, "now": ROOT}, args.turns, space)
        finally:
            subprocess.run(["git", "-C", ROOT, "worktree", "remove", "--force", old], check=True)


if __name__ == "__main__":
    main()
