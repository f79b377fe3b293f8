"""`make fault`: what becomes of photos when things go wrong, counted; writes RESULTS.md beside this file.

Every figure comes from a run of the real code on this machine; a photo that is lost, doubled or torn ends the program.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import drops  # noqa: E402 (they stand beside this file)
import swaps  # noqa: E402

import killing  # noqa: E402

Row = tuple[str, ...]
MEMORY = Path("/dev/shm")  # noqa: S108 (the folders made in it are private)
ERRORS = ("ENOSPC", "EIO", "EDQUOT", "EACCES", "EROFS", "EINTR", "ESTALE", "EXDEV")
CALLS = ("write", "pwrite64", "fsync", "fdatasync", "renameat2", "linkat", "unlinkat", "mkdirat", "fchmod", "utimensat")


@contextmanager
def scratch(*, memory: bool) -> Iterator[Path]:
    """A folder in memory, or in the temporary folder, that is another file system on most machines."""
    with tempfile.TemporaryDirectory(prefix="culld-fault-", dir=MEMORY if memory and MEMORY.is_dir() else None) as path:
        yield Path(path)


def kills(step: int) -> Iterator[Row]:
    """`kill -9` at every change of a file; then again at every change that putting things right makes."""
    for action in ("reject", "restore"):
        for device in ("same device", "other device"):
            with scratch(memory=True) as folder, scratch(memory=device == "same device") as away:
                count = killing.sweep(folder, away / "quarantine", killing.ACTIONS[action], step)
            yield (f"{action}, {device}", str(count), "0", "0", "0", "0")


def errors(step: int) -> Iterator[Row]:
    """Each error at each system call that changes a file, the journal's own included."""
    for error in ERRORS:
        failed = 0
        for action in ("reject", "restore"):
            for call in CALLS:
                for memory in (True, False):
                    with scratch(memory=True) as folder, scratch(memory=memory) as away:
                        failed += killing.fail_each(
                            folder, away / "quarantine", action, call, error, step=step, journal=True
                        )
        yield (error, str(failed), "0", "0", "0")


def dropped(count: int) -> Iterator[Row]:
    """Many photos at once: while it runs, while it is stopped (the queue overflows), and with few watches."""
    for name, stopped, watches in (("running", False, None), ("stopped", True, None), ("60 watches", False, 60)):
        with scratch(memory=True) as folder:
            house = drops.House(folder).build("5s" if watches else "1h")
            with house.serving(watches=watches) as daemon:
                house.wait(lambda house=house: house.ask("SELECT count(*) FROM note") > 0, 30)
                seconds = _drop(house, daemon, count, stopped=stopped)
                moved = len(list((house.folder / "quarantine").rglob("*-bad.jpg")))
                missed, doubled = count - house.decided, house.decisions - house.decided
            assert (missed, doubled, moved) == (0, 0, -(-count // drops.REJECTED)), (name, missed, doubled, moved)
        yield (f"culld, {name}", f"{count:,}", str(missed), str(doubled), f"{seconds:.0f} s")
    for name, stopped in (("running", False), ("stopped", True)):
        yield (f"bare watchdog, {name}", f"{count:,}", f"{count - _listened(count, stopped=stopped):,}", "", "")


def _drop(house: drops.House, daemon: subprocess.Popen[bytes], count: int, *, stopped: bool) -> float:
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


def swapped(count: int) -> Iterator[Row]:
    """A folder is exchanged with a link to elsewhere while culld scans it and moves photos."""
    with scratch(memory=True) as folder:
        found = swaps.race(folder, count)
    assert not found.escapes, found
    yield (f"{found.swaps:,}", f"{found.moves:,}", f"{found.refused:,}", str(found.escapes))


SECTIONS: dict[str, tuple[str, Row, Callable[[int], Iterator[Row]], int, int]] = {
    "kills": (
        "`kill -9` at each call that changes a file, and again while things are put right",
        ("a photo, its sidecar and a new one", "kills", "lost", "doubled", "torn", "stuck"),
        kills,
        1,
        4,
    ),
    "errors": (
        "One error at each call that changes a file or the journal",
        ("error", "calls that failed", "lost", "doubled", "not recovered"),
        errors,
        3,
        13,
    ),
    "drops": (
        "Photos dropped at once into 2,000 new folders",
        ("who", "photos", "missed", "twice", "until decided"),
        dropped,
        100_000,
        5_000,
    ),
    "swaps": (
        "A folder exchanged with a link",
        ("swaps", "photos moved", "refused", "escapes"),
        swapped,
        100_000,
        10_000,
    ),
}
"""Title, columns, what to do, and how much of it: in full, and to try it out."""


def main() -> None:
    """Run the sections, and write the report if all of them ran in full."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SECTIONS, nargs="*", default=list(SECTIONS), help="these sections")
    parser.add_argument("--quick", action="store_true", help="a fraction of each, to try it out")
    options = parser.parse_args()
    if shutil.which("strace") is None or shutil.which("unshare") is None:
        sys.exit("this needs strace and unshare: apt-get install strace util-linux")
    logging.disable(logging.WARNING)  # what is refused, a thousand times over
    lines = [_head()]
    for name in options.only:
        title, columns, run, full, quick = SECTIONS[name]
        begin = time.monotonic()
        rows = [columns, ("---",) * len(columns), *run(quick if options.quick else full)]
        table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
        lines.append(f"## {title}\n\n{table}\n\n`make fault ONLY={name}`, {time.monotonic() - begin:.0f} s\n")
        print(lines[-1], flush=True)
    if options.only == list(SECTIONS) and not options.quick:
        (HERE / "RESULTS.md").write_text("\n".join(lines), "utf-8")


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
