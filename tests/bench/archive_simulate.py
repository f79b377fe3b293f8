"""Make an archive of drawn rows, and measure `culld archive simulate` as a whole process: seconds and peak memory.

    python tests/bench/archive_simulate.py 1000000 FOLDER [--runs 3] [--shard-size 256] [--rejects 0.02] [--policy FILE]
        [--shards]

The rows are drawn by seed: folders of one event each with one to three cameras, bursts, brackets, pauses of seconds to
minutes, settings that stay for a while, RAW with JPEG in a fifth of the folders, ratings, edits, small photos, photos
that cannot be read, and difference hashes of smooth fields. The shards are joined as after a finished scan; with
--shards they stay as they are while a scan goes on. An archive that is there is used again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.archive.parquet.folder import ArchiveFolder, Manifest
from culld.archive.parquet.join import join_shards
from culld.archive.parquet.schema import plan_schema, row_schema

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    Array = npt.NDArray[Any]

SEED = 24
SCENES = 20_000
CAMERAS = [f"Maker Model {number}" for number in range(40)]
TIMES = np.array([1 / 8, 1 / 30, 1 / 60, 1 / 125, 1 / 250, 1 / 500, 1 / 1000, 1 / 2000])
APERTURES = np.array([1.8, 2.8, 4.0, 5.6, 8.0])
ISOS = np.array([100, 200, 400, 800, 1600, 3200, 6400])
FOCAL = np.array([24.0, 35.0, 50.0, 85.0, 200.0])
POLICY = """\
watch: [{{path: /library/2019}}]
quarantine: {folder}/quarantine
state: {folder}/state
policy: {{mode: enforce}}
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The archive to make: rows, photos of a shard, the share of rejected photos, and whether its shards are joined."""

    rows: int
    shard_size: int
    rejects: float
    is_joined: bool = True

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"archive-{self.rows}-{self.shard_size}-{self.rejects:g}{'-joined' if self.is_joined else ''}"


def scenes(rng: np.random.Generator) -> Array:
    """Hashes of smooth fields, as 64 bytes each: neighbouring bits of photos agree more often than by chance."""
    found = np.empty((SCENES, 64), np.uint8)
    for number in range(SCENES):
        coarse = np.kron(rng.normal(size=(6, 6)), np.ones((3, 3)))[:17, :17] + 0.35 * rng.normal(size=(17, 17))
        rows, columns = np.diff(coarse, axis=1)[:16] > 0, np.diff(coarse, axis=0)[:, :16] > 0
        found[number] = np.packbits(np.concatenate([rows.ravel(), columns.ravel()]))
    return found


def held(rng: np.random.Generator, values: Array, count: int, share: float) -> Array:
    """Values of which each stays that of the row before, but for a share."""
    change = rng.random(count) < share
    change[0] = True
    return rng.choice(values, count)[change][np.cumsum(change) - 1]


def columns_of(rng: np.random.Generator, pool: Array, wanted: Wanted, folder: int, count: int) -> dict[str, Any]:
    """The columns of the photos of one folder, in the order of time."""
    begun = datetime(2005 + folder % 20, 1 + folder % 12, 1 + folder % 27, 9, tzinfo=UTC).timestamp()
    kind = rng.random(count)  # how each photo follows the one before
    gap = np.select([kind < 0.2, kind < 0.65], [0.3, rng.uniform(4, 60, count)], rng.uniform(60, 900, count))
    same = kind < 0.25  # one scene
    same[0] = False
    base = pool[rng.integers(0, SCENES, count)][np.maximum.accumulate(np.where(same, 0, np.arange(count)))]
    flips = np.packbits(rng.random((count, 512)) < 0.06, axis=1)
    changed = held(rng, np.arange(1000), count, 0.5)
    # A blurred photo has blurred neighbours no more often than by chance, as a burst of a moving child.
    blur = np.where(rng.random(count) < wanted.rejects, rng.uniform(0.97, 1, count), 0.969 * rng.random(count) ** 6)
    digital = ISOS[changed % 7]
    return {
        "micros": ((begun + np.cumsum(gap)) * 1e6).astype(np.int64),
        "dhash": base ^ flips,
        "exposure_s": np.where(rng.random(count) < 0.6, TIMES[changed % 8], rng.choice(TIMES, count)),
        "aperture": APERTURES[changed // 8 % 5],
        "iso": np.where(same | (rng.random(count) < 0.5), digital, rng.choice(ISOS, count)),
        "focal_mm": FOCAL[changed // 40 % 5],
        "blur": blur,
        "under": rng.random(count) ** 12,
        "over": rng.random(count) ** 12,
        "marked": rng.random(count) < 0.04,
        "small": rng.random(count) < 0.01,
        "faces": (rng.random(count) < 0.3).astype(np.int16),
    }


def rows_of_folder(
    rng: np.random.Generator, pool: Array, wanted: Wanted, folder: int, count: int
) -> list[dict[str, Any]]:
    """The rows of one folder; in a fifth of the folders each second row is the JPEG of the RAW before it."""
    cols = columns_of(rng, pool, wanted, folder, count)
    cameras = rng.choice(len(CAMERAS), 3)
    which = cameras[np.minimum(rng.geometric(0.8, count) - 1, 2)]
    pairs = folder % 5 == 0
    where = f"/library/{2005 + folder % 20}/{folder:06} event"
    plain = {name: values.tolist() for name, values in cols.items() if name != "dhash"}
    hashes, digests = cols["dhash"].tobytes(), rng.bytes(32 * count)
    status = rng.random(count)
    found = []
    for at in range(count):
        shot = at - at % 2 if pairs else at
        name = f"IMG_{shot:05}.{'dng' if pairs and at % 2 == 0 else 'jpg'}"
        row: dict[str, Any] = {
            "path": f"{where}/{name}", "size": 6_000_000 + at, "mtime_ns": plain["micros"][shot] * 1000,
            "sidecars": [], "siblings": [], "blocking": [], "marked": False,
        }  # fmt: skip
        if status[at] < 0.0002:
            found.append({**row, "status": "failed", "error": "permission denied"})
            continue
        camera, micros = CAMERAS[which[shot]], plain["micros"][shot]
        if pairs and shot + 1 < count:
            row["siblings"] = [f"IMG_{shot:05}.{'jpg' if at % 2 == 0 else 'dng'}"]
        row |= {
            "digest": digests[32 * at : 32 * at + 32], "format": "raw" if name.endswith("dng") else "jpeg",
            "width": 600 if plain["small"][at] else 6000, "height": 400 if plain["small"][at] else 4000,
            "orientation": 1, "camera": camera, "taken_at": micros, "hour": micros // 3_600_000_000 % 24,
            **{each: plain[each][shot] for each in ("exposure_s", "aperture", "iso", "focal_mm")},
            "bias_ev": 0.0, "auto_bracket": False, "model": "defects@drawn",
            "dhash": hashes[64 * shot : 64 * shot + 64],
            "facts": facts(plain, at, shot, camera),
        }  # fmt: skip
        if status[at] < 0.001:
            found.append({**row, "status": "unreadable", "error": "it is cut off"})
            continue
        face = plain["faces"][at]
        found.append(
            {
                **row, "status": "scored",
                **{each: plain[each][at] for each in ("blur", "under", "over", "marked", "faces")},
                "focus": plain["over"][at] if face else None, "sharpness": plain["blur"][at] / 3,
                "face_blur": plain["over"][at] if face else None, "face_light": -0.5 if face else None,
                "sharp_share": 0.4, "brightness": -1.0 + plain["under"][at],
            }
        )  # fmt: skip
    return found


def facts(plain: dict[str, Any], at: int, shot: int, camera: str) -> str:
    """The facts as the journal stores them."""
    moment = datetime.fromtimestamp(plain["micros"][shot] / 1e6, UTC).isoformat()
    face = {"box": [0.1, 0.2, 0.3, 0.4], "eyes": [[0.2, 0.3], [0.3, 0.3]], "confidence": 0.9, "light": -0.5}
    faces = [{**face, "blur": round(plain["over"][at], 5)}] if plain["faces"][at] else []
    known: dict[str, Any] = {
        "format": "jpeg",
        "camera": {"model": camera, "taken_at": moment, "orientation": 1, "focal_mm": plain["focal_mm"][shot],
                   "exposure": {"seconds": plain["exposure_s"][shot], "aperture": plain["aperture"][shot]}},
        "subject": {"faces": faces, "sharpness": 0.1, "sharp_share": 0.4, "brightness": -1.0, "sharpest": [0.5, 0.5]},
        "full_size": [6000, 4000],
    }  # fmt: skip
    if plain["marked"][at]:
        known["care"] = {"stars": [["xmp:Rating 4", 4]]}
    return json.dumps(known, separators=(",", ":"))


def plan_of(number: int, rows: list[dict[str, Any]]) -> pa.Table:
    """The rows of a plan for one shard."""
    import pyarrow as pa

    relative = [row["path"].removeprefix("/library/").encode() for row in rows]
    columns = ([number] * len(rows), [b"/library"] * len(rows), relative)
    schema = plan_schema()
    return pa.table([pa.array(each, field.type) for each, field in zip(columns, schema, strict=True)], schema=schema)


def make(out: Path, wanted: Wanted) -> None:
    """Write the archive; folders have 200 to 2,000 photos."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng, folder = np.random.default_rng(SEED), ArchiveFolder(out)
    out.mkdir(parents=True)
    folder.open(Manifest(("/library",), "defects@drawn"))
    pool, waiting, made, number, event = scenes(rng), [], 0, 0, 0
    for each in (folder.shard(1, 0), folder.plan(1)):
        each.parent.mkdir(parents=True)
    planned: list[pa.Table] = []
    while made < wanted.rows or waiting:
        if made < wanted.rows and len(waiting) < wanted.shard_size:
            count = min(int(rng.integers(100, 1000)) * 2, wanted.rows - made)
            waiting += rows_of_folder(rng, pool, wanted, event, count)
            made, event = made + count, event + 1
            continue
        rows, waiting = waiting[: wanted.shard_size], waiting[wanted.shard_size :]
        table = pa.Table.from_pylist([{**row, "scan": 1} for row in rows], row_schema())
        pq.write_table(table, folder.shard(1, number), compression="zstd")
        planned.append(plan_of(number, rows))
        number += 1
    pq.write_table(pa.concat_tables(planned), folder.plan(1), compression="zstd", row_group_size=1 << 16)
    if wanted.is_joined:
        join_shards(folder)
    (out / "policy.yaml").write_text(POLICY.format(folder=out))


@dataclass(frozen=True, slots=True)
class Run:
    """The seconds of a command, the processor seconds of all its processes, and their most memory together in bytes."""

    seconds: float
    processor_s: float
    memory: int


def measured(command: list[str]) -> Run:
    """Run a command; the memory is the proportional set size, taken ten times a second."""
    begun, before = time.monotonic(), os.times()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    most = 0
    while child.poll() is None:
        most = max(most, sum(map(memory_of, [child.pid, *children(child.pid)])))
        time.sleep(0.1)
    after = os.times()
    if child.returncode:
        raise SystemExit(f"{command} ended with {child.returncode}")
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(time.monotonic() - begun, used, most)


def children(pid: int) -> list[int]:
    """The processes that a process started, and those that these started."""
    try:
        found = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:  # it has ended
        return []
    return found + [other for each in found for other in children(each)]


def memory_of(pid: int) -> int:
    """The proportional set size of a process in bytes."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def main() -> None:
    """Make, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--shard-size", type=int, default=256)
    parser.add_argument("--rejects", type=float, default=0.02)
    parser.add_argument("--policy", type=Path)
    parser.add_argument("--shards", action="store_true")
    args = parser.parse_args()
    wanted = Wanted(args.rows, args.shard_size, args.rejects, not args.shards)
    out = args.folder / wanted.name
    if not out.exists():
        make(out, wanted)
    policy = args.policy or out / "policy.yaml"
    command = [str(Path(sys.executable).with_name("culld")), "archive", "simulate", str(policy), str(out), "--json"]
    runs = [measured(command) for _ in range(args.runs)]
    seconds = [run.seconds for run in runs]
    print(
        f"{args.rows} rows: median {median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}),"
        f" processor {median(run.processor_s for run in runs):.2f} s, most memory"
        f" {max(run.memory for run in runs) / 1e6:.0f} MB, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
