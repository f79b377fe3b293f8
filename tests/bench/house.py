"""culld as the bench runs it: in a new house for each turn, from the copy of the photos to the last decision."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

POLICY = """\
watch: [{path: inbox}]
quarantine: quarantine
state: state
workers: 2
policy: {mode: enforce, brake: {max_share: never}}
"""
_SOI = 2


@dataclass(frozen=True)
class Bench:
    """The installed culld, and a folder for its houses."""

    culld: Path
    folder: Path

    def copy(self, files: Sequence[Path], target: Path, count: int) -> Path:
        """Return `count` photos made from a few; each JPEG gets its own comment, so no two are equal."""
        target.mkdir(parents=True)
        for number in range(count):
            file = files[number % len(files)]
            data = file.read_bytes()
            if file.suffix == ".jpg":
                text = f"{number:06}".encode()
                data = data[:_SOI] + b"\xff\xfe" + (len(text) + 2).to_bytes(2) + text + data[_SOI:]
            (target / f"{number:06}{file.suffix}").write_bytes(data)
        return target

    def once(self, photos: Path | None) -> dict[str, Any]:
        """Measure `culld once`, as a whole process, on copies of some photos or on an empty folder."""
        house = self._house()
        if photos is not None:
            shutil.copytree(photos, house / "inbox" / "drop")
        time.sleep(4)  # they have settled, and what was copied is written
        start = time.perf_counter()
        command = [self.culld, "once", "--json", "--config", house / "culld.yaml"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        shutil.rmtree(house)
        return {"seconds": seconds, "photos": 0 if photos is None else len(list(photos.iterdir()))}

    def drop(self, photos: Path) -> dict[str, Any]:
        """Move copies of some photos into the watched folder and measure until each is tagged or moved."""
        house = self._house()
        shutil.copytree(photos, house / "drop")
        process = self._serve(house)
        begin = _cpu(process)
        start = time.perf_counter()
        (house / "drop").rename(house / "inbox" / "drop")
        count = len(list(photos.iterdir()))
        while _decided(house) < count:
            time.sleep(0.1)
        seconds = time.perf_counter() - start
        cpu = {name: spent - begin[name] for name, spent in _cpu(process).items()}
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        shutil.rmtree(house)
        return {"seconds": seconds, "photos": count, "cpu": cpu}

    def cpu(self, photos: Path) -> dict[str, float]:
        """Return the processor time in ms that the daemon and its workers take for one photo."""
        found = self.drop(photos)
        return {name: 1000 * seconds / found["photos"] for name, seconds in found["cpu"].items()}

    def peak(self, work: Callable[[], object]) -> float:
        """Return the peak memory in MB of all processes that `work` starts, shared pages counted once."""
        most, over = 0.0, threading.Event()

        def watch() -> None:
            nonlocal most
            while not over.wait(0.2):
                most = max(most, sum(map(_proportional, psutil.Process().children(recursive=True))))

        thread = threading.Thread(target=watch)
        thread.start()
        work()
        over.set()
        thread.join()
        return most

    def _house(self) -> Path:
        house = self.folder / "house"
        (house / "inbox").mkdir(parents=True)
        (house / "culld.yaml").write_text(POLICY)
        return house

    def _serve(self, house: Path) -> psutil.Popen:
        with (house / "log").open("w") as log:
            process = psutil.Popen([self.culld, "run", "--config", house / "culld.yaml"], stdout=log, stderr=log)
        while not (house / "state" / "journal.sqlite3").exists():
            time.sleep(0.05)
        time.sleep(3)  # the workers have loaded the network
        return process


def _decided(house: Path) -> int:
    with closing(sqlite3.connect(f"file:{house}/state/journal.sqlite3?mode=ro", uri=True)) as journal:
        (count,) = journal.execute("SELECT count(*) FROM decision WHERE state = 'done'").fetchone()
    return int(count)


def _cpu(process: psutil.Popen) -> dict[str, float]:
    """Return the processor time in s so far of the daemon's process and of its workers."""
    workers = [sum(child.cpu_times()[:2]) for child in process.children()]
    return {"the loop": sum(process.cpu_times()[:2]), "the workers": sum(workers)}


def _proportional(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 1e6
    except psutil.NoSuchProcess:
        return 0.0
