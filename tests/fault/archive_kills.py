"""Random kills of the driver, actors, workers and a node of `culld archive score` on two nodes; prints Markdown.

`PYTHONPATH=tests .venv/bin/python -m fault.archive_kills [--kills N] [--photos N] [--seed N]`. One scan of drawn photos
goes on over all kills; the command is started again whenever it has ended. Then each photo must have one row.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from culld.archive.parquet.folder import ArchiveFolder
from harness import factories
from harness.archives import rows_of
from harness.process_tree import below, processes
from harness.two_nodes import OTHER, TwoNodes, two_nodes

KINDS = ("driver", "actor", "worker", "node")
_LATEST_S = 1.0
_DRAWN = 50


@dataclass
class Scan:
    """The scan, and the process that works on it now."""

    cluster: TwoNodes
    photos: Path
    out: Path
    starts: int = 0
    refusals: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        """Start the command unless it runs."""
        if self.process is None or self.process.poll() is not None:
            if self.process is not None and self.process.returncode > 0:
                self.refusals.append(self.process.communicate()[1].strip().splitlines()[-1])
            self.starts += 1
            command = [*self.cluster.scoring(self.photos, self.out), "--shard-size=2"]
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(command, env=self.cluster.env, stdout=pipe, stderr=pipe, text=True)
        return self.process

    def shards(self) -> int:
        """The number of shards that are committed."""
        return len(ArchiveFolder(self.out).committed(1))

    def go_on(self) -> subprocess.Popen[str]:
        """Wait until the command commits another shard, and start it again as often as that takes."""
        before = self.shards()
        while self.shards() <= before:
            self.start()
            time.sleep(0.02)
        return self.start()

    def actors(self) -> list[int]:
        """The processes of the actors of this cluster."""
        servers = [pid for pid, (_, _, command) in processes().items() if str(self.cluster.temp) in command]
        return [pid for pid, command in below(*servers).items() if command.startswith("ray::ShardActor")]


def victims(scan: Scan, kind: str, driver: int) -> list[int]:
    """The processes that a kill of a kind may end."""
    if kind == "driver":
        return [driver]
    actors = scan.actors()
    return actors if kind == "actor" else [pid for pid, name in below(*actors).items() if "spawn_main" in name]


def kill(scan: Scan, kind: str, dice: random.Random) -> bool:
    """Kill at a random moment while the scan goes on; return whether there was anything to kill."""
    driver = scan.go_on()
    time.sleep(dice.uniform(0, _LATEST_S))
    if driver.poll() is not None:
        return False
    if kind == "node":
        scan.cluster.kill(OTHER)
        scan.cluster.start_other()  # the next start of the command uses it
        return True
    found = victims(scan, kind, driver.pid)
    if found:
        with suppress(ProcessLookupError):
            os.kill(dice.choice(found), signal.SIGKILL)
    return bool(found)


def main() -> int:
    """Kill, finish the scan, and count rows; return 1 if a row is lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    dice, done = random.Random(args.seed), Counter[str]()  # noqa: S311
    with tempfile.TemporaryDirectory() as folder, two_nodes() as cluster:
        photos = Path(folder) / "photos"
        photos.mkdir()
        drawn = [factories.encoded(factories.picture(number, (480, 360))) for number in range(_DRAWN)]
        for number in range(args.photos):
            (photos / f"{number:04}.jpg").write_bytes(drawn[number % len(drawn)] + number.to_bytes(4, "big"))
        scan = Scan(cluster, photos, Path(folder) / "out")
        while done.total() < args.kills:
            kind = KINDS[done.total() % len(KINDS)]
            done[kind] += kill(scan, kind, dice)
        at_kills = scan.shards()
        while scan.start().wait() != 0:
            pass
        rows = Counter(str(row["path"]) for row in rows_of(scan.out) if row["status"] == "scored")
        lost, doubled = set(map(str, photos.iterdir())) - set(rows), [path for path in rows if rows[path] > 1]
        left = [path for path in scan.out.rglob(".*") if path.is_file()]
    kinds = ", ".join(f"{count} of {kind}" for kind, count in done.items())
    print(f"{done.total()} kills ({kinds}), the last one after {at_kills} of {args.photos // 2} shards.")
    print(f"{scan.starts} starts, {rows.total()} rows of {args.photos} photos: {len(lost)} lost,")
    print(f"{len(doubled)} doubled; {len(left)} unfinished files.")
    print("\n".join(f"refused: {why}" for why in scan.refusals))
    return int(bool(lost or doubled or left))


if __name__ == "__main__":
    sys.exit(main())
