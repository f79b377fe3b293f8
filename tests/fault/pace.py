"""A steady load: photos arrive one by one, then none; measures waiting times, memory and the idle processor time."""

from __future__ import annotations

import os
import random
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from harness import factories
from harness.daemon_process import House

POLICY = """\
watch: [{path: inbox}]
quarantine: quarantine
state: state
workers: 2
policy: {mode: enforce, defects: {blur: {tag: 0.5, reject: 0.97}}}
"""
EVERY_S = 2.0
KINDS = 100
IDLE_SHARE = 6
"""The idle time is a sixth of the busy one."""


@dataclass(frozen=True)
class Day:
    """The measured values; waiting times in seconds from the end of a drop to the decision, sorted."""

    photos: int
    waits: tuple[float, ...]
    memory_mb: float
    slope_mb_per_hour: float
    files_open: tuple[int, int]
    idle_cpu_s_per_hour: float

    def percentile(self, share: float) -> float:
        """The waiting time that this share of photos did not exceed."""
        return self.waits[min(len(self.waits) - 1, int(len(self.waits) * share))]


def spend(folder: Path, seed: int, seconds: int) -> Day:
    """Drop photos for so many seconds, at random moments; then none."""
    dice = random.Random(seed)  # noqa: S311
    photos = [factories.encoded(factories.picture(number), quality=92) for number in range(KINDS)]
    house = House(folder).build(POLICY)
    with house.daemon() as daemon:
        dropped: dict[str, float] = {}
        samples: list[tuple[float, float]] = []
        begin, opened = time.monotonic(), _files_open(daemon.pid)
        while time.monotonic() - begin < seconds:
            time.sleep(dice.expovariate(1 / EVERY_S))
            name = f"{len(dropped):06}.jpg"
            # A comment of its own makes each photo another one.
            house.drop(name, _with_comment(photos[len(dropped) % KINDS], name))
            dropped[name] = time.time()
            samples.append((time.monotonic() - begin, _memory(daemon.pid)))
        house.wait_until(lambda: len(_decided(house)) == len(dropped), "the last decision", 120)
        decided = _decided(house)
        idle_s = seconds / IDLE_SHARE
        before = _processor_s(daemon.pid)
        time.sleep(idle_s)
        idle = (_processor_s(daemon.pid) - before) / idle_s * 3600
        closed = _files_open(daemon.pid)
    warm = [sample for sample in samples if sample[0] > seconds / 6]
    slope, _ = statistics.linear_regression([at for at, _ in warm], [memory for _, memory in warm])
    waits = tuple(sorted(decided[name] - at for name, at in dropped.items()))
    return Day(len(dropped), waits, max(memory for _, memory in samples), slope * 3600, (opened, closed), idle)


def _with_comment(data: bytes, text: str) -> bytes:
    return data[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2) + text.encode() + data[2:]


def _decided(house: House) -> dict[str, float]:
    rows = house.ask("SELECT relative, closed_at FROM decision WHERE state = 'done'")
    return {os.fsdecode(name): at / 1e6 for name, at in rows}


def _family(pid: int) -> list[Path]:
    """The process and those that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [Path("/proc", str(pid)), *(Path("/proc", child) for child in children)]


def _memory(pid: int) -> float:
    """Resident megabytes of all processes, shared pages counted once."""
    lines = "".join((process / "smaps_rollup").read_text() for process in _family(pid)).splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _processor_s(pid: int) -> float:
    """The seconds of processor time that all processes have used."""
    used = 0
    for process in _family(pid):
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / os.sysconf("SC_CLK_TCK")


def _files_open(pid: int) -> int:
    return sum(len(list((process / "fd").iterdir())) for process in _family(pid))
