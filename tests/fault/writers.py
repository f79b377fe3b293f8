"""Programs of every kind write photos into a watched folder, and pause; counted is what reads them too early.

The control is the rule of size and time, as paperless-ngx 3 has it: no change of either for five seconds.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from harness import factories
from harness.daemon_process import House

PARTS = 4
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
QUIET_S = 5.0
POLICY = """\
watch: [{path: inbox}]
quarantine: quarantine
state: state
policy: {mode: observe}
tags: {embed: never}
"""

Write = Callable[[Path, bytes, float], None]


def _pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    ends = [len(data) * part // PARTS for part in range(PARTS + 1)]
    yield from ((begin, data[begin:end]) for begin, end in pairwise(ends))


def _command(*command: str) -> Write:
    def write(file: Path, data: bytes, _pause: float) -> None:
        source = file.parents[1] / "camera" / file.name
        source.parent.mkdir(exist_ok=True)
        source.write_bytes(data)
        subprocess.run([*command, source, file], check=True)

    return write


def held_open(file: Path, data: bytes, pause: float) -> None:
    """Keep one descriptor open, with pauses between the parts."""
    with file.open("wb", buffering=0) as stream:
        for begin, piece in _pieces(data):
            time.sleep(pause if begin else 0)
            stream.write(piece)


def reopened(file: Path, data: bytes, pause: float) -> None:
    """Open the file again for each part, so that it is closed during the pauses."""
    for begin, piece in _pieces(data):
        time.sleep(pause if begin else 0)
        with file.open("ab") as stream:
            stream.write(piece)


def preallocated(file: Path, data: bytes, pause: float) -> None:
    """The whole size at once, then the content."""
    with file.open("wb", buffering=0) as stream:
        os.posix_fallocate(stream.fileno(), 0, len(data))
        for _, piece in _pieces(data):
            time.sleep(pause)
            stream.write(piece)


def mapped(file: Path, data: bytes, pause: float) -> None:
    """Through memory, without a descriptor."""
    with file.open("w+b") as stream:
        stream.truncate(len(data))
        memory = mmap.mmap(stream.fileno(), len(data))
    for begin, piece in _pieces(data):
        time.sleep(pause)
        memory[begin : begin + len(piece)] = piece
    memory.close()


def renamed(file: Path, data: bytes, pause: float) -> None:
    """Under another name until it is whole."""
    held_open(file.with_name(file.name + ".part"), data, pause)
    file.with_name(file.name + ".part").rename(file)


WRITERS: dict[str, tuple[Write, tuple[float, ...]]] = {
    "cp": (_command("cp"), (0.0,)),
    "rsync": (_command("rsync", "--bwlimit=100k"), (0.0,)),
    "rsync --inplace": (_command("rsync", "--inplace", "--bwlimit=100k"), (0.0,)),
    "held open": (held_open, PAUSES),
    "preallocated": (preallocated, PAUSES),
    "mapped into memory": (mapped, PAUSES),
    "renamed when whole": (renamed, PAUSES),
    "reopened for each part": (reopened, PAUSES),
}


@dataclass
class Task:
    """One file, and what was seen of it while it was written."""

    name: str
    pause: float
    file: Path
    data: bytes
    write: Write
    ended: float | None = None
    control_was_early: bool = False
    faults: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Write it."""
        self.write(self.file, self.data, self.pause)
        self.ended = time.time()

    @property
    def digest(self) -> str:
        """Of the whole file."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Row:
    """The files of one kind of writer: read and judged before they were whole, and the same by the control."""

    writer: str
    files: int
    read_early: int
    judged_early: int
    control_early: int
    delays: tuple[float, ...]


def matrix(folder: Path, copies: int) -> list[Row]:
    """Let every writer write with every pause, all at the same time, while culld watches."""
    house = House(folder).build(POLICY)
    tasks = [
        Task(name, pause, house.inbox / f"{name}-{pause:g}-{copy}.jpg", b"", write)
        for name, (write, pauses) in WRITERS.items()
        for pause in pauses
        for copy in range(copies)
    ]
    for number, task in enumerate(tasks):
        task.data = factories.encoded(factories.picture(number), quality=92)
    with house.daemon():
        threads = [threading.Thread(target=task.run) for task in tasks]
        for thread in threads:
            thread.start()
        _observe(house, tasks)
        names = {task.file.name for task in tasks}
        house.wait_until(lambda: names <= {name for name, _, _ in _decided(house)}, "the last decision", 2400)
        decided = {name: (digest, at) for name, digest, at in _decided(house)}
    return [_row(name, [task for task in tasks if task.name == name], decided) for name in WRITERS]


def _observe(house: House, tasks: list[Task]) -> None:
    """Observe until all is written: which files the control takes for whole, and culld's result for unreadable ones."""
    seen: dict[Path, tuple[tuple[int, int], float]] = {}
    while any(task.ended is None for task in tasks):
        for task in tasks:
            if task.ended is None and task.file.exists():
                found = task.file.stat()
                size_and_time = (found.st_size, found.st_mtime_ns)
                before, since = seen.get(task.file, (None, 0.0))
                if before != size_and_time:
                    seen[task.file] = (size_and_time, time.monotonic())
                elif time.monotonic() - since >= QUIET_S and task.ended is None:
                    task.control_was_early = True
        faults = {os.fsdecode(name) for (name,) in house.ask("SELECT relative FROM item WHERE state = 'fault'")}
        for task in tasks:
            if task.file.name in faults:
                task.faults.append(task.file.name)
        time.sleep(0.25)


def _decided(house: House) -> list[tuple[str, str, float]]:
    rows = house.ask("SELECT relative, digest, closed_at FROM decision WHERE state = 'done' ORDER BY id DESC")
    return [(os.fsdecode(name), digest, at / 1e6) for name, digest, at in rows]


def _row(name: str, tasks: list[Task], decided: dict[str, tuple[str, float]]) -> Row:
    delays = [decided[task.file.name][1] - (task.ended or 0) for task in tasks]
    return Row(
        writer=name,
        files=len(tasks),
        read_early=sum(bool(task.faults) for task in tasks),
        judged_early=sum(decided[task.file.name][0] != task.digest for task in tasks),
        control_early=sum(task.control_was_early for task in tasks),
        delays=tuple(sorted(delays)),
    )
