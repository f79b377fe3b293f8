"""Drops many photos at once into a folder that the real daemon watches, and counts the result of each.

Watcher, scanner, settling, journal and moves are the real ones; instead of the network a constant answers, by the name
of the photo. As a program it is one part of that: `serve`, `drop`, or `listen` (bare watchdog, as the control).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from culld.app.daemon import Daemon
from culld.app.service_status import ServiceStatus
from culld.app.startup import open_journal
from culld.clock import SystemClock
from culld.config import load_config
from culld.imaging.image_file import DecodeLimits
from culld.records import Photo, Scores
from culld.stages.read import WorkerSettings
from culld.stages.read.assess import Score
from culld.stages.read.worker import PhotoWorker
from culld.stages.watch.signals import LoopQueue, Signal
from culld.system.scheduler import Scheduler
from culld.system.sd_notify import Notifier

sys.path.append(str(Path(__file__).parents[1]))

from harness.daemon_process import House
from harness.fakes import FakePool

POLICY = """\
watch: [{path: inbox}]
quarantine: quarantine
state: state
rescan: RESCAN
settle: {quiet: 1s}
batch: {size: 256}
policy: {mode: enforce, defects: {blur: {tag: 0.5, reject: 0.97}}}
"""
JPEG = bytes.fromhex("ffd8ffdb0043000101010101010101010101010101010101010101010101010101010101010101010101010101010101")
REJECTED = 100
"""Every such photo is one that the policy rejects."""


class FakeWorker(PhotoWorker):
    """A worker without a network."""

    def __init__(self) -> None:
        """Nothing to load."""
        self._settings = WorkerSettings(Path(), "constant@1", 1_000_000, 1_000_000)
        self._limits = DecodeLimits()

    def _look_at(self, photo: Photo, _stream: BinaryIO) -> Score:
        """Return blurred for the photos whose name asks for it."""
        return Score(Scores(0.99 if photo.place.relative.stem.endswith("bad") else 0.01, 0.0, 0.0))


class Flood(House):
    """A house whose daemon answers without a network."""

    def count(self, question: str) -> int:
        """A number out of the journal; 0 while there is none."""
        rows = self.ask(question)
        return int(rows[0][0]) if rows else 0

    @property
    def decided(self) -> int:
        """How many different photos were decided about."""
        return self.count("SELECT count(DISTINCT relative) FROM decision WHERE state = 'done'")

    @property
    def decisions(self) -> int:
        """How many decisions there were."""
        return self.count("SELECT count(*) FROM decision")

    @contextmanager
    def serving(self, *, watches: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """A daemon at work; with `watches` as its limit, in a user namespace of its own."""
        command: list[str | Path] = [sys.executable, __file__, "serve", self.folder, str(watches or 0)]
        process = subprocess.Popen(["unshare", "-Ur", *command] if watches else command)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.wait(60)

    def wait(self, done: Callable[[], bool], seconds: float) -> None:
        """Until it is so, or the time is over."""
        deadline = time.monotonic() + seconds
        while not done() and time.monotonic() < deadline:
            time.sleep(0.5)


def drop(inbox: Path, count: int, folders: int) -> None:
    """Make `count` different photos, spread over new folders."""
    for number in range(count):
        folder = inbox / f"{number % folders:04}"
        if number < folders:
            folder.mkdir()
        name = f"{number:06}{'-bad' if number % REJECTED == 0 else ''}.jpg"
        (folder / name).write_bytes(JPEG + number.to_bytes(8) + b"\xff\xd9")


def serve(folder: Path, watches: int) -> None:
    """Run the daemon until SIGTERM."""
    if watches:
        Path("/proc/sys/user/max_inotify_watches").write_text(str(watches))
    wakeups = LoopQueue()
    signal.signal(signal.SIGTERM, lambda *_: wakeups.put(Signal.STOP))
    path = folder / "culld.yaml"
    config = load_config(path, os.environ)
    with open_journal(config) as journal:
        status = ServiceStatus(Notifier.of({}), None, SystemClock())
        daemon = Daemon(config, path, journal, FakePool(FakeWorker()), status, wakeups)  # type: ignore[arg-type]
        schedule = Scheduler()
        schedule.every(config.rescan, lambda: wakeups.put(Signal.RESCAN), name="rescan")
        schedule.start()
        daemon.run({})
        schedule.stop()


def listen(inbox: Path, file: Path) -> None:
    """Write down the number of files that bare watchdog reports, until SIGTERM."""
    from watchdog.events import FileSystemEvent, FileSystemEventHandler  # noqa: PLC0415 (the control alone needs it)
    from watchdog.observers import Observer  # noqa: PLC0415

    seen: set[bytes | str] = set()

    class Handler(FileSystemEventHandler):
        def on_created(self, event: FileSystemEvent) -> None:
            if not event.is_directory:
                seen.add(event.src_path)

    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    observer = Observer()
    observer.schedule(Handler(), str(inbox), recursive=True)
    observer.start()
    file.write_text("0")
    while not over.wait(0.5):
        file.write_text(str(len(seen)))
    observer.stop()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(Path(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1] == "drop":
        drop(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        listen(Path(sys.argv[2]), Path(sys.argv[3]))
