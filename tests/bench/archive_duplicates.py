"""How many planted near-duplicates `culld archive duplicates` finds, how many pairs are none, and what it costs.

    python -m bench.archive_duplicates calibration --photos DIR    the sources on which the limits were chosen
    python -m bench.archive_duplicates test --photos DIR           other sources
    python -m bench.archive_duplicates test --photos DIR --seed 2 --tiles 3 5    other copies and tiles of them
    python -m bench.archive_duplicates rows --count 1000000        rows of drawn hashes: time and memory

DIR has a folder for each source. The archive of a split has 20,000 photos: 1,000 photos of its sources with one changed
copy each, its other photos, and tiles of all its photos (quarters and sixteenths), which show other views. No photo has
EXIF or a name that helps; each is compressed, decoded and hashed as in the daemon. White or black tiles of one size are
files of the same bytes: such pairs are copies by definition, and are counted apart.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from culld.app.review.intervals import wilson
from culld.archive.duplicates import Member, find_duplicates
from culld.archive.parquet.folder import ArchiveFolder, Manifest
from culld.archive.parquet.row import hash_bytes
from culld.archive.scoring.shards import write_rows
from culld.imaging.decode import decode
from culld.imaging.image_file import DecodeLimits
from culld.records import Format
from culld.stages.read.assess import dhash_of
from culld.subject.light import stops

SPLITS: Final = {
    "calibration": ("dreambooth", "elementary", "jetson", "mmpose", "osie", "tinycoco", "u2net"),
    "test": ("azure", "budgie", "cid22", "clothing", "human", "kodak", "scene_nus", "trident", "work_suite"),
}
PHOTOS: Final = 20_000
PLANTED: Final = 1_000
CROP: Final = 0.03
_QUALITY: Final = 92

Row = dict[str, Any]
Change = Callable[[Image.Image, random.Random], tuple[Image.Image, int]]


@dataclass(frozen=True, slots=True)
class Sample:
    """Which photos get a changed copy, how each is changed, and which tiles there are, for a seed.

    A photo has count x count tiles for each of `tiles`.
    """

    seed: int
    tiles: tuple[int, ...]

    def changes(self, files: list[Path]) -> dict[Path, Change]:
        """Return the photos that have a changed copy, with the change."""
        draw = random.Random(self.seed)  # noqa: S311 (the same for everyone)
        return dict(zip(draw.sample(files, PLANTED), CHANGES * (PLANTED // len(CHANGES)), strict=True))

    def planted(self, files: list[Path]) -> Counter[str]:
        """Return the number of changed copies by source and by change."""
        return Counter(
            name for file, change in self.changes(files).items() for name in (file.parent.name, change.__name__, "all")
        )

    def of_tiles(self, tiles: list[Row], count: int) -> list[Row]:
        """Return so many tiles, or all."""
        draw = random.Random(self.seed + 1)  # noqa: S311
        return draw.sample(tiles, min(len(tiles), count))

    def within(self, file: Path) -> random.Random:
        """Return what decides how a photo is changed."""
        return random.Random(f"{file.parent.name}/{file.name}{self.seed or ''}")  # noqa: S311


def resized(photo: Image.Image, draw: random.Random) -> tuple[Image.Image, int]:
    """Return the photo in 25, 50 or 75 % of its length."""
    return _scaled(photo, draw.choice((0.25, 0.5, 0.75))), _QUALITY


def recompressed(photo: Image.Image, draw: random.Random) -> tuple[Image.Image, int]:
    """Return the photo for JPEG quality 20 to 80."""
    return photo, draw.choice((20, 40, 60, 80))


def cropped(photo: Image.Image, draw: random.Random) -> tuple[Image.Image, int]:
    """Return the photo without 3 % at each side."""
    del draw
    return _without(photo, (CROP,) * 4), _QUALITY


def cropped_at_a_side(photo: Image.Image, draw: random.Random) -> tuple[Image.Image, int]:
    """Return the photo without 3 % at one side."""
    side = draw.randrange(4)
    return _without(photo, tuple(CROP * (each == side) for each in range(4))), _QUALITY


def all_three(photo: Image.Image, draw: random.Random) -> tuple[Image.Image, int]:
    """Return the photo without 3 % at each side, in half of its length, for JPEG quality 60."""
    return _scaled(cropped(photo, draw)[0], 0.5), 60


CHANGES: Final[tuple[Change, ...]] = (resized, recompressed, cropped, cropped_at_a_side, all_three)


def rows_of(task: tuple[Path, Change | None, Sample]) -> list[Row]:
    """Return the rows of a photo, of its changed copy, and of its tiles."""
    file, change, sample = task
    photo = Image.open(file).convert("RGB")
    name = f"/{file.parent.name}/{file.stem}"
    rows = [_row(f"{name}/whole", photo, 95)]
    if change is not None:
        rows.append(_row(f"{name}/{change.__name__}", *change(photo, sample.within(file))))
    for count in sample.tiles:
        width, height = photo.width // count, photo.height // count
        for right, down in np.ndindex(count, count):
            box = (right * width, down * height, (right + 1) * width, (down + 1) * height)
            rows.append(_row(f"{name}/tile {count} {right} {down}", photo.crop(box), _QUALITY))
    return rows


def archive_of(files: list[Path], sample: Sample, out: Path) -> int:
    """Write the archive of a split; return the number of its photos."""
    planted = sample.changes(files)
    with ProcessPoolExecutor(2) as pool:
        tasks = [(file, planted.get(file), sample) for file in files]
        rows = [row for some in pool.map(rows_of, tasks) for row in some]
    tiles = [row for row in rows if "/tile " in row["path"]]
    rows = [row for row in rows if "/tile " not in row["path"]]
    rows += sample.of_tiles(tiles, PHOTOS - len(rows))
    _write(out, rows)
    return len(rows)


def measure(out: Path, sources: tuple[str, ...], planted: Counter[str]) -> list[str]:
    """Return the lines of the table."""
    begun, used = time.monotonic(), time.process_time()
    copies, _ = find_duplicates(out)
    groups = [group.members for group in copies.groups()]
    seconds = time.monotonic() - begun
    found, false, same_bytes = _counted(groups)
    lines = [f"{'':20} {'planted':>8} {'recall':>24} {'false':>6} {'precision':>24}"]
    for name in ("all", *(change.__name__ for change in CHANGES), *sources):
        hits, wrong, number = found[name], false[name], planted[name]
        precision = _share(hits, hits + wrong) if name == "all" or name in sources else ""
        wrong_text = wrong if precision else ""
        lines.append(f"{name:20} {number:>8} {_share(hits, number):>24} {wrong_text:>6} {precision:>24}")
    hits, wrong = found["all"], false["all"] + same_bytes
    apart = f"{same_bytes} pairs of tiles of the same bytes; precision if they were wrong {_share(hits, hits + wrong)}"
    return [*lines, apart, _cost(seconds, time.process_time() - used)]


def _counted(groups: list[tuple[Member, ...]]) -> tuple[Counter[str], Counter[str], int]:
    """Return the pairs that are planted and those that are wrong, by source and by change, and those of equal bytes."""
    found, false, same_bytes = Counter[str](), Counter[str](), 0
    for first, second in (pair for group in groups for pair in combinations(group, 2)):
        one, other = first.path, second.path
        source, change = one.parts[1], ({one.name, other.name} - {"whole"} or {""}).pop()
        if one.parent == other.parent and not change.startswith("tile") and "whole" in {one.name, other.name}:
            found.update((source, change, "all"))
        elif first.digest == second.digest:
            same_bytes += 1
        else:
            false.update({source, other.parts[1], "all"})
            print(f"    false: {one} {other}")
    return found, false, same_bytes


def measure_rows(count: int, out: Path) -> list[str]:
    """Write rows of drawn hashes, and return how long the command takes over them, and what it finds.

    One photo in 20 has a copy with 40 other bits; 1 in 10 shows nothing; 100,000 have one and the same hash.
    """
    draw = np.random.default_rng(0)
    size = 50_000
    one_hash = draw.bytes(64)
    for shard in range(-(-count // size)):
        hashes = _drawn(draw, size)
        hashes[: size // 20] = _flipped(draw, hashes[size // 20 : size // 10], 40)
        rows = [_drawn_row(shard * size + at, each.tobytes(), draw) for at, each in enumerate(hashes)]
        for row in rows[size // 2 : size // 2 + size // 10] if count >= 20 * 5000 else ():
            row["dhash"] = one_hash
        _write(out, rows, shard)
    begun, used = time.monotonic(), time.process_time()
    copies, similar = find_duplicates(out)
    seconds = time.monotonic() - begun
    largest = int(np.diff(copies.starts).max())
    pairs = int(np.count_nonzero(np.diff(copies.starts) == 2))
    found = (
        f"{count} rows: {len(copies)} groups of copies, {pairs} of two (planted {count // 20}), the largest of"
        f" {largest}; {len(similar)} similar"
    )
    return [found, _cost(seconds, time.process_time() - used)]


def _scaled(photo: Image.Image, by: float) -> Image.Image:
    size = (max(1, round(photo.width * by)), max(1, round(photo.height * by)))
    return photo.resize(size, Image.Resampling.LANCZOS)


def _without(photo: Image.Image, sides: tuple[float, ...]) -> Image.Image:
    left, top, right, bottom = sides
    width, height = photo.size
    return photo.crop(
        (round(left * width), round(top * height), round((1 - right) * width), round((1 - bottom) * height))
    )


def _row(path: str, photo: Image.Image, quality: int) -> Row:
    saved = io.BytesIO()
    photo.save(saved, "JPEG", quality=quality)
    data = saved.getvalue()
    frame = decode(io.BytesIO(data), Format.JPEG, DecodeLimits())
    return {
        "path": path,
        "status": "scored",
        "size": len(data),
        "mtime_ns": 0,
        "digest": hashlib.sha256(data).digest(),
        "width": photo.width,
        "height": photo.height,
        "orientation": 1,
        "brightness": stops(frame[::4, ::4]),
        "dhash": hash_bytes(dhash_of(frame)),
    }


def _drawn(draw: np.random.Generator, count: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return hashes whose neighbouring bits are as alike as in photos: signs of the gradients of smoothed noise."""
    noise = draw.standard_normal((count, 19, 19), np.float32)
    smooth = sum(noise[:, down : down + 17, right : right + 17] for down in range(3) for right in range(3))
    right = smooth[:, :-1, 1:] > smooth[:, :-1, :-1]
    down = smooth[:, 1:, :-1] > smooth[:, :-1, :-1]
    down[::10] = right[::10] = False
    return np.packbits(np.stack([right, down], axis=1).reshape(count, 512), axis=1)


def _flipped(draw: np.random.Generator, hashes: Any, bits: int) -> Any:
    flips = np.zeros((len(hashes), 512), np.uint8)
    flips[:, :bits] = 1
    return hashes ^ np.packbits(draw.permuted(flips, axis=1), axis=1)


def _drawn_row(number: int, dhash: bytes, draw: np.random.Generator) -> Row:
    return {
        "path": f"/photos/{number // 1000:05}/IMG_{number:07}.jpg",
        "status": "scored",
        "size": 4_000_000 + number % 1000,
        "mtime_ns": number,
        "digest": draw.bytes(32),
        "width": 6000,
        "height": 4000,
        "orientation": 1,
        "brightness": 0.0,
        "dhash": dhash,
    }


def _write(out: Path, rows: list[Row], shard: int = 0) -> None:
    folder = ArchiveFolder(out)
    if not shard:
        out.mkdir(parents=True, exist_ok=True)
        folder.open(Manifest(("/photos",), "bench"))
    write_rows(folder.shard(1, shard), rows, 1)


def _share(hits: int, total: int) -> str:
    if not total:
        return "-"
    low, high = wilson(hits, total)
    return f"{hits / total:.4f} ({low:.4f}..{high:.4f})"


def _cost(seconds: float, processor_s: float) -> str:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return f"{seconds:.1f} s after hashing, {processor_s:.1f} s of the processor, peak memory of this process {peak} MB"


def _files(photos: Path, sources: tuple[str, ...]) -> Iterator[Path]:
    for source in sources:
        yield from sorted(each for each in (photos / source).iterdir() if each.suffix == ".jpg")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=[*SPLITS, "rows"])
    parser.add_argument("--photos", type=Path, help="a folder with a folder for each source")
    parser.add_argument("--count", type=int, default=1_000_000, help="number of rows")
    parser.add_argument("--seed", type=int, default=0, help="of the copies and the tiles")
    parser.add_argument("--tiles", type=int, nargs="+", default=[2, 4], help="tiles in each direction")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        if args.mode == "rows":
            lines = measure_rows(args.count, Path(out))
        else:
            sources = SPLITS[args.mode]
            files = list(_files(args.photos, sources))
            sample = Sample(args.seed, tuple(args.tiles))
            print(f"{archive_of(files, sample, Path(out))} photos")
            lines = measure(Path(out), sources, sample.planted(files))
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
