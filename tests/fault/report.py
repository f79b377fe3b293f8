"""`make fault`: counts of photos after failures; writes RESULTS.md beside this file.

Every figure comes from a run of the real code on this machine; a photo that is lost, doubled or torn ends the program.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import drops  # noqa: E402 (they stand beside this file)
import hostile  # noqa: E402
import pace  # noqa: E402
import swaps  # noqa: E402
import writers  # noqa: E402

from harness import journal_loss, kill_points  # noqa: E402

Row = tuple[str, ...]
MEMORY = Path("/dev/shm")  # noqa: S108 (the folders made in it are private)
RESULTS = HERE / "RESULTS.md"
SEED = 20_261_121
ERRORS = ("ENOSPC", "EIO", "EDQUOT", "EACCES", "EROFS", "EINTR", "ESTALE", "EXDEV")
CALLS = ("write", "pwrite64", "fsync", "fdatasync", "renameat2", "linkat", "unlinkat", "mkdirat", "fchmod", "utimensat")
TOOLS = {"strace": "strace", "unshare": "util-linux", "rsync": "rsync", "find": "findutils"}


@contextmanager
def scratch(*, memory: bool) -> Iterator[Path]:
    """A folder in memory, or in the temporary folder, that is another file system on most machines."""
    with tempfile.TemporaryDirectory(prefix="culld-fault-", dir=MEMORY if memory and MEMORY.is_dir() else None) as path:
        yield Path(path)


def kills(step: int) -> Iterator[Row]:
    """`kill -9` at every change of a file; then again at every change of the recovery."""
    for action, repair in (("reject", "replay"), ("restore", "restore again")):
        for device in ("same device", "other device"):
            with scratch(memory=True) as folder, scratch(memory=device == "same device") as away:
                first, second = kill_points.sweep(folder, away / "quarantine", kill_points.ACTIONS[action], step)
            yield (f"{action}, {device}", str(first), "0", "0", "0", "0")
            yield (f"{repair}, {device}", str(second), "0", "0", "0", "0")


def errors(step: int) -> Iterator[Row]:
    """Each error at each system call that changes a file, the journal's own included."""
    cases = list(product(ERRORS, ("reject", "restore"), CALLS, (True, False)))
    with ProcessPoolExecutor() as pool:
        counts = list(pool.map(partial(_fail, step), cases))
    for error in ERRORS:
        failed = sum(count for count, case in zip(counts, cases, strict=True) if case[0] == error)
        yield (error, str(failed), "0", "0", "0")


def _fail(step: int, case: tuple[str, str, str, bool]) -> int:
    error, action, call, same_device = case
    with scratch(memory=True) as folder, scratch(memory=same_device) as away:
        return kill_points.fail_each(folder, away / "quarantine", action, call, error, step=step, journal=True)


def dropped(count: int) -> Iterator[Row]:
    """Many photos at once: while it runs, while it is stopped (the queue overflows), and with few watches."""
    for name, stopped, watches in (("running", False, None), ("stopped", True, None), ("60 watches", False, 60)):
        with scratch(memory=True) as folder:
            house = drops.Flood(folder).build(drops.POLICY.replace("RESCAN", "5s" if watches else "1h"))
            with house.serving(watches=watches) as daemon:
                house.wait(lambda house=house: house.count("SELECT count(*) FROM note") > 0, 30)
                seconds = _drop(house, daemon, count, stopped=stopped)
                moved = len(list(house.quarantine.rglob("*-bad.jpg")))
                missed, doubled = count - house.decided, house.decisions - house.decided
            assert (missed, doubled, moved) == (0, 0, -(-count // drops.REJECTED)), (name, missed, doubled, moved)
        yield (f"culld, {name}", f"{count:,}", str(missed), str(doubled), f"{seconds:.0f} s")
    for name, stopped in (("running", False), ("stopped", True)):
        yield (f"bare watchdog, {name}", f"{count:,}", f"{count - _listened(count, stopped=stopped):,}", "", "")


def _drop(house: drops.Flood, daemon: subprocess.Popen[bytes], count: int, *, stopped: bool) -> float:
    if stopped:
        daemon.send_signal(signal.SIGSTOP)
    drops.drop(house.inbox, count, 2000)
    daemon.send_signal(signal.SIGCONT)
    begin = time.monotonic()
    house.wait(lambda: house.decided >= count, 900)
    return time.monotonic() - begin


def _listened(count: int, *, stopped: bool) -> int:
    with scratch(memory=True) as folder:
        inbox, told = folder / "inbox", folder / "told"
        inbox.mkdir()
        listener = subprocess.Popen([sys.executable, drops.__file__, "listen", inbox, told])
        while not told.exists():
            time.sleep(0.1)
        if stopped:
            listener.send_signal(signal.SIGSTOP)
        drops.drop(inbox, count, 2000)
        listener.send_signal(signal.SIGCONT)
        seen = -1
        while seen != (seen := int(told.read_text() or 0)):
            time.sleep(10)
        listener.terminate()
        listener.wait(30)
        return seen


def written(copies: int) -> Iterator[Row]:
    """Every kind of writer, with every pause."""
    with scratch(memory=False) as folder:
        rows = writers.matrix(folder, copies)
    assert not sum(row.judged_early for row in rows), rows
    for row in rows:
        counts = (row.files, row.read_early, row.judged_early, row.control_early)
        yield (row.writer, *map(str, counts), f"{statistics.median(row.delays):.1f} s", f"{row.delays[-1]:.1f} s")


def lost(parts: int) -> Iterator[Row]:
    """The journal is deleted, cut off, zeroed, or rolled back; then everything is restored."""
    names = [f"2026/{number:03}.jpg" for number in range(10)]
    damages = journal_loss.DAMAGES | {f"cut off at each of {parts} offsets": journal_loss.cut_at(parts)}
    for name, damage in damages.items():
        each = damage if isinstance(damage, list) else [damage]
        for harm in each:
            with scratch(memory=True) as folder:
                vault = journal_loss.Vault(folder).build(names)
                harm(vault)
                faults = [result.fault for result in vault.restore()]
                assert (faults, vault.is_whole()) == ([None] * len(names), True), (name, faults)
        yield (name, str(len(each)), str(len(each) * len(names)), "0", "100 %")


def swapped(count: int) -> Iterator[Row]:
    """A folder is exchanged with a link to elsewhere while culld scans it and moves photos."""
    with scratch(memory=True) as folder:
        found = swaps.race(folder, count)
    assert not found.escapes, found
    yield (f"{found.swaps:,}", f"{found.moves:,}", f"{found.refused:,}", str(found.escapes))


def survived(count: int) -> Iterator[Row]:
    """Special files, odd names and damaged photos."""
    with scratch(memory=False) as folder:
        found = hostile.survive(folder, SEED, count)
    assert not sum(kind.lost for kind in found), found
    for kind in found:
        yield (kind.kind, str(kind.files), str(kind.lost), "0", "0", f"{kind.seconds:.0f} s")


def soaked(seconds: int) -> Iterator[Row]:
    """Photos one by one."""
    with scratch(memory=False) as folder:
        day = pace.spend(folder, SEED, seconds)
    yield ("photos, one every two seconds on average", f"{day.photos:,} in {seconds / 60:.0f} minutes")
    waits = " / ".join(f"{day.percentile(share):.1f}" for share in (0.5, 0.99))
    yield ("from drop to decision, p50 / p99 (3 s quiet and up to 2 s of batch among them)", f"{waits} s")
    yield ("memory of all processes, at most", f"{day.memory_mb:.0f} MB")
    yield ("its slope, after the first sixth", f"{day.slope_mb_per_hour:+.1f} MB an hour")
    yield ("files open, before and after", " / ".join(map(str, day.files_open)))
    yield ("processor, when nothing is to do", f"{day.idle_cpu_s_per_hour:.1f} s an hour")


@dataclass(frozen=True)
class Section:
    """One table: its columns, the function that makes its rows, and its size: in full, and for a quick run."""

    title: str
    columns: Row
    rows: Callable[[int], Iterator[Row]]
    full: int
    quick: int


SECTIONS = {
    "kills": Section(
        "`kill -9` at each call that changes a file, and again while things are put right",
        ("tag and sidecar and move of a photo with its sidecar", "kills", "lost", "doubled", "torn", "stuck"),
        kills,
        1,
        4,
    ),
    "errors": Section(
        "One error at each call that changes a file or the journal",
        ("error", "calls that failed", "lost", "doubled", "not recovered"),
        errors,
        1,
        13,
    ),
    "drops": Section(
        "Photos dropped at once into 2,000 new folders (a constant in place of the network)",
        ("who", "photos", "missed", "twice", "until decided"),
        dropped,
        100_000,
        5_000,
    ),
    "writers": Section(
        f"Writers that pause for {', '.join(f'{pause:g}' for pause in writers.PAUSES)} s between parts of a photo",
        (
            "writer",
            "files",
            "read early",
            "judged early",
            "early by the rule of size and time",
            "median wait",
            "longest",
        ),
        written,
        4,
        1,
    ),
    "lost": Section(
        "The journal is lost",
        ("what happened to it", "times", "photos in quarantine", "lost", "restored"),
        lost,
        256,
        16,
    ),
    "swaps": Section(
        "A folder exchanged with a link",
        ("swaps", "photos moved", "refused", "escapes"),
        swapped,
        100_000,
        10_000,
    ),
    "hostile": Section(
        f"Hostile files, with {hostile.LIMIT_S} s for each, seed {SEED}",
        ("kind", "files", "lost", "hangs", "daemon restarts", "until all were dealt with"),
        survived,
        2000,
        100,
    ),
    "soak": Section(
        f"An hour of photos, ten minutes of none, seed {SEED}",
        ("what", "figure"),
        soaked,
        3600,
        120,
    ),
}


def main() -> None:
    """Run the sections; those that ran in full take their place in the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SECTIONS, nargs="*", default=list(SECTIONS), help="these sections")
    parser.add_argument("--quick", action="store_true", help="a fraction of each, to try it out; the report stays")
    options = parser.parse_args()
    if missing := [package for tool, package in TOOLS.items() if shutil.which(tool) is None]:
        sys.exit(f"this needs more tools: apt-get install {' '.join(missing)}")
    logging.disable(logging.WARNING)  # what is refused, a thousand times over
    for name in options.only:
        text = _run(name, quick=options.quick)
        print(text, flush=True)
        if not options.quick:
            _keep(name, text)


def _run(name: str, *, quick: bool) -> str:
    section, begin = SECTIONS[name], time.monotonic()
    rows = [section.columns, ("---",) * len(section.columns), *section.rows(section.quick if quick else section.full)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    seconds = time.monotonic() - begin
    return f"## {section.title}\n\n{table}\n\n`make fault ONLY={name}`, {seconds:.0f} s\n"


def _keep(name: str, text: str) -> None:
    """Put a section into the report, among those that are there."""
    old = RESULTS.read_text("utf-8") if RESULTS.exists() else ""
    parts = {_name(part): part for part in re.split(r"^(?=## )", old, flags=re.MULTILINE)[1:]}
    parts[name] = text
    kept = [parts[each].strip() + "\n" for each in SECTIONS if each in parts]
    RESULTS.write_text("\n".join([_head(), *kept]), "utf-8")


def _name(part: str) -> str:
    found = re.search(r"ONLY=(\w+)", part)
    return found[1] if found else ""


def _head() -> str:
    kernel, python = platform.release().split("-")[0], platform.python_version()
    return (
        "# What becomes of photos when things go wrong\n\n"
        f"Written by `make fault` on {os.cpu_count()} cores, Linux {kernel}, Python {python}. A photo that is lost,\n"
        "doubled, torn or stuck ends the run, so a table stands here only if there was none; times are those of one\n"
        "run on one machine.\n"
    )


if __name__ == "__main__":
    main()
