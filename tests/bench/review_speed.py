"""The speed of the review page: `culld web` on a made journal, and on made photos of 24 megapixels.

    python tests/bench/review_speed.py [--photos 20000 100000] [--pictures 16]

Prints the time until the page answers, the times of the index, of simulate and of a photo's facts (median and 95th
percentile of 20, and the processor time of the server for each), the memory of the process, and the thumbnails and
previews made and served in a second.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from culld.clock import SystemClock  # noqa: E402
from culld.journal.row_mapping import INSERT_DECISION, decision_row  # noqa: E402
from culld.journal.store import SqliteJournal  # noqa: E402
from culld.records import (  # noqa: E402
    Assessment,
    Camera,
    Exposure,
    Photo,
    PlanState,
    RecordedDecision,
    RootedPath,
    Scores,
    Stack,
    Verdict,
)
from harness import factories  # noqa: E402 (the path of the tests is set above)

CONFIG = "watch: [{path: photos}]\nquarantine: q\nstate: state\npolicy: {mode: enforce}\n"
PORT = 8490
TIMES = 20
POLICY = "0b2f32ef3469"


def fill(folder: Path, count: int) -> None:
    """Write a journal of `count` photos, a fifth of them not kept."""
    (folder / "c.yaml").write_text(CONFIG)
    (folder / "photos").mkdir()
    dice = random.Random(1)  # noqa: S311
    with SqliteJournal.open(folder / "state" / "journal.sqlite3", SystemClock()) as journal, journal._writing() as db:
        db.executemany(INSERT_DECISION, (decision_row(made(number, dice, folder)) for number in range(count)))


def made(number: int, dice: random.Random, folder: Path) -> RecordedDecision:
    """A decision as the daemon makes it, by the default thresholds."""
    blur = dice.random() ** 4 if dice.random() < 0.75 else 1 - dice.random() ** 3 / 2
    under, over = dice.random() ** 9, dice.random() ** 9
    taken = factories.NOON + timedelta(seconds=7 * number)
    camera = Camera("EOS R5", taken, exposure=Exposure(1 / 100, 4.0, 400), focal_mm=50)
    place = RootedPath(folder / "photos", Path(f"2026/{number // 500:04}/IMG_{number:06}.jpg"))
    photo = Photo(place, factories.stamp(), f"{number:064x}", factories.photo().format, camera)
    verdict = Verdict.KEEP
    if max(blur - 0.5, under - 0.6, over - 0.6) >= 0:
        verdict = Verdict.QUARANTINE if blur >= 0.97 else Verdict.TAG
    rule = {Verdict.KEEP: "", Verdict.TAG: "policy.defects.blur.tag"}.get(verdict, "policy.defects.blur.reject")
    result = Assessment(photo, Scores(blur, under, over), "defects-3@41774ab860dc", full_size=(8192, 5464))
    now = RootedPath(folder / "q", place.relative) if verdict is Verdict.QUARANTINE else place
    return RecordedDecision(
        plan=f"plan-{number}",
        made_at=taken,
        stack=Stack(result),
        verdict=verdict,
        reason="no defect reaches its tag threshold (blur 0.00, under 0.00, over 0.00)",
        keywords=("defect:blur",) if verdict is not Verdict.KEEP else (),
        policy=POLICY,
        rule=rule,
        would_reject=verdict is Verdict.QUARANTINE,
        state=PlanState.DONE,
        now=now,
        now_digest=photo.digest,
        series_id=f"s{number // 5}" if number % 50 < 5 else "",
    )


@dataclass
class Client:
    """A logged-in client with one connection."""

    connection: http.client.HTTPConnection
    pid: int
    cookie: str = ""

    def ask(self, path: str, body: object = None, **headers: str) -> tuple[int, bytes, float]:
        """Return the status, the body and the seconds."""
        head = {"Cookie": self.cookie, "Sec-Fetch-Site": "same-origin"} | headers
        begun = time.perf_counter()
        if body is None:
            self.connection.request("GET", path, headers=head)
        else:
            self.connection.request("POST", path, json.dumps(body), head | {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        data = answer.read()
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer.status, data, time.perf_counter() - begun

    def times(self, name: str, path: str, body: object = None) -> None:
        """Print the median and the 95th percentile of some requests."""
        begun = cpu_s(self.pid)
        found = [self.ask(path, body) for _ in range(TIMES)]
        used = (cpu_s(self.pid) - begun) / TIMES
        if any(status != 200 for status, _, _ in found):
            raise SystemExit(f"{path}: {found[0][:2]}")
        seconds = sorted(each[2] for each in found)
        size, p95 = len(found[0][1]), seconds[int(0.95 * TIMES) - 1]
        print(
            f"  {name:<34} p50 {1000 * statistics.median(seconds):7.1f} ms  p95 {1000 * p95:7.1f}"
            f"  processor {1000 * used:7.1f} ms  {size:>9,} bytes"
        )


def cpu_s(pid: int) -> float:
    """The processor time of the threads of a process in seconds."""
    return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


@contextmanager
def served(folder: Path) -> Iterator[tuple[Client, subprocess.Popen[str]]]:
    """Run `culld web`, and log in."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "culld", "web", "--config", "c.yaml", "--port", str(PORT)]
    environ = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    process = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        code = process.stdout.readline().strip().partition("#login=")[2]
        client = Client(http.client.HTTPConnection("127.0.0.1", PORT, timeout=120), process.pid)
        while True:
            try:
                status, _, _ = client.ask("/api/v1/login", {"code": code})
                break
            except ConnectionRefusedError:
                time.sleep(0.02)
        print(f"  start to login {1000 * (time.perf_counter() - begun):.0f} ms (status {status})")
        status, _, _ = client.ask("/api/v1/index")
        print(f"  processor time until then {1000 * cpu_s(process.pid):.0f} ms")
        print(f"  start to first index {1000 * (time.perf_counter() - begun):.0f} ms (status {status})")
        yield client, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def memory(process: subprocess.Popen[str]) -> int:
    """The resident memory of the process in MiB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


def measure_index(count: int) -> None:
    """Print the figures for a journal of `count` photos."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, count)
        print(f"{count:,} photos")
        with served(folder) as (client, process):
            print(f"  memory after the first index {memory(process)} MiB")
            client.times("index, not kept", "/api/v1/index")
            client.times("index, first 200", "/api/v1/index?limit=200")
            client.times("index, kept as well", "/api/v1/index?kept=1")
            for reject in (0.96, 0.9, 0.6):
                body = {"defects": {"blur": {"tag": 0.5, "reject": reject}}, "ids": True}
                first = client.ask("/api/v1/simulate", body)
                print(f"  simulate blur {reject}, first: {1000 * first[2]:.0f} ms, {_moved(first[1])} would move")
                client.times(f"simulate blur {reject}, again", "/api/v1/simulate", body)
            client.times("simulate, a step of a slider", "/api/v1/simulate", {"defects": {"blur": {"reject": 0.965}}})
            client.times("tiles of 100 photos", "/api/v1/photos?ids=" + ",".join(map(str, range(1, 101))))
            client.times("facts of a photo", "/api/v1/photos/77")
            client.times("report", "/api/v1/report")
            client.times("status", "/api/v1/status")
            _change_one(folder)
            status, data, seconds = client.ask("/api/v1/index")
            print(f"  index after a change {1000 * seconds:.0f} ms (status {status}, {len(data):,} bytes)")
            print(f"  memory at the end {memory(process)} MiB")


def _moved(data: bytes) -> int:
    return int(json.loads(data)["would_move"])


def _change_one(folder: Path) -> None:
    with sqlite3.connect(folder / "state" / "journal.sqlite3") as db:
        db.execute(
            "UPDATE decision SET restored_at = 1 WHERE id = (SELECT min(id) FROM decision WHERE verdict = 'quarantine')"
        )
    db.close()


def measure_pictures(count: int) -> None:
    """Print how many thumbnails and previews of 24 megapixels are made and served in a second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "c.yaml").write_text(CONFIG)
        (folder / "photos").mkdir()
        data = factories.encoded(factories.picture(1, (6000, 4000)), quality=90)
        for number in range(count):
            (folder / "photos" / f"IMG_{number}.jpg").write_bytes(data + bytes([number]))
        subprocess.run([sys.executable, "-m", "culld", "once", "--config", "c.yaml"], cwd=folder, check=True)
        print(f"{count} photos of 24 MP, {len(data) / 1e6:.1f} MB each")
        with served(folder) as (client, process):
            client.ask("/api/v1/session")
            time.sleep(3)  # the workers start
            for kind in ("thumb", "preview"):
                begun = time.perf_counter()
                for number in range(1, count + 1):
                    status, _, _ = client.ask(f"/api/v1/photos/{number}/{kind}")
                    assert status == 200
                print(f"  {kind}s made, one after the other: {count / (time.perf_counter() - begun):.1f} a second")
                begun, used = time.perf_counter(), cpu_s(process.pid)
                for _ in range(20):
                    for number in range(1, count + 1):
                        client.ask(f"/api/v1/photos/{number}/{kind}")
                wall, used = time.perf_counter() - begun, cpu_s(process.pid) - used
                print(
                    f"  {kind}s served, one connection: {20 * count / wall:.0f} a second,"
                    f" {1000 * used / (20 * count):.2f} ms of a processor each"
                )
            print(f"  memory {memory(process)} MiB")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, nargs="*", default=[20_000, 100_000])
    parser.add_argument("--pictures", type=int, default=16)
    arguments = parser.parse_args()
    for count in arguments.photos:
        measure_index(count)
    if arguments.pictures:
        measure_pictures(arguments.pictures)


if __name__ == "__main__":
    main()
