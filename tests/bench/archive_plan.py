"""What planning a scan costs: as many listed files as rows, of which one in 1,000 changed, is new, or is gone.

python -m bench.archive_plan --count 1000000
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from culld.archive.parquet.folder import ArchiveFolder, Manifest
from culld.archive.scoring.plan import count_in, deleted_in, make_plan
from culld.archive.scoring.shards import write_rows
from culld.records import FileSnapshot, FileStat, RootedPath

_SHARD = 50_000
_EVERY = 1000


def path_of(number: int) -> str:
    """Return the path of a photo below the root."""
    return f"{number // 1000:05}/2019-05-{number % 28 + 1:02}/IMG_{number:08}.jpg"


@dataclass(frozen=True)
class Generated:
    """Lists so many photos: of 1,000 the first has another size than its row, and the second is new."""

    count: int
    unreadable: dict[Path, str] = field(default_factory=dict)

    def photos(self) -> Iterator[FileSnapshot]:
        """Yield them."""
        root = Path("/photos")
        for number in range(self.count):
            name = path_of(number + self.count if number % _EVERY == 1 else number)
            stamp = FileStat(1, number + 1, 4_000_000 + (number % _EVERY == 0), number + 1, number + 1)
            yield FileSnapshot(RootedPath(root, Path(name)), stamp)


def write_archive(out: Path, count: int) -> None:
    """Write the rows."""
    folder = ArchiveFolder(out)
    folder.open(Manifest(("/photos",), "bench"))
    for shard, start in enumerate(range(0, count, _SHARD)):
        numbers = range(start, min(start + _SHARD, count))
        rows = (
            {"path": f"/photos/{path_of(each)}", "status": "scored", "size": 4_000_000, "mtime_ns": each + 1}
            for each in numbers
        )
        write_rows(folder.shard(1, shard), rows, 1)
    folder.plan(1).parent.mkdir()


def measure(out: Path, count: int) -> str:
    """Plan, and return what was found, the time and the memory."""
    folder = ArchiveFolder(out)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    begun, used = time.monotonic(), time.process_time()
    scan = make_plan(folder, Generated(count), 256)
    seconds, processor_s = time.monotonic() - begun, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return (
        f"{count} photos: {count_in(folder, scan)} are read, {len(deleted_in(folder, scan))} are gone; {seconds:.1f} s,"
        f" {processor_s:.1f} s of the processor, peak memory {peak} MB ({before} MB before)"
    )


def main() -> int:
    """Write an archive, and plan in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--measured", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measured:
        print(measure(args.measured, args.count))
        return 0
    with tempfile.TemporaryDirectory() as out:
        write_archive(Path(out), args.count)
        command = [sys.executable, "-m", "bench.archive_plan", "--count", str(args.count), "--measured", out]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
