"""Traces one dropped photo through `culld run` with one worker, from the file event to the line in the log.

    python tests/bench/trace_photo.py [--list]

It prints how many named functions, in how many files of the package, the daemon and its worker call, with and without
those that an idle daemon calls anyway, and how many requests the worker answers. `--list` prints the functions as well.
The photo is blurred, so it is read, scored, grouped, decided about, tagged, moved to quarantine and reported.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageFilter

import culld

PACKAGE = Path(culld.__file__).parent
CONFIG = """\
watch: [{path: inbox}]
quarantine: quarantine
state: state
settle: {quiet: 500ms}
batch: {wait: 300ms}
rescan: 4s
workers: 1
policy: {mode: enforce, brake: {max_share: never}, defects: {blur: {tag: 0.5, reject: 0.8}}}
"""
_IDLE_S = 10.0
_LONGEST_S = 120.0

# Python imports a module of this name at the start of each process, spawned ones included.
HOOK = """\
import os, socket, sys, threading

_out = socket.socket(socket.AF_UNIX)
_out.connect(os.environ["TRACE_SOCKET"])
_package = os.environ["TRACE_PACKAGE"] + os.sep
_pid = os.getpid()
_functions = 1  # CO_OPTIMIZED: no module, no body of a class


def _note(frame, event, _argument):
    code = frame.f_code
    if event != "call":
        return
    if code.co_filename.startswith(_package):
        if code.co_flags & _functions and not code.co_name.startswith("<"):
            name = f"{code.co_filename[len(_package):]}:{code.co_qualname}"
            _out.sendall(f"{_pid} call {name}\\n".encode())
    elif code.co_name in ("recv", "recv_bytes") and code.co_filename.endswith("multiprocessing/connection.py"):
        _out.sendall(f"{_pid} receive -\\n".encode())


threading.setprofile(_note)
sys.setprofile(_note)
"""


@dataclass(frozen=True)
class Call:
    """A call of a named function, or the wait of a process for a message (`kind` is receive)."""

    at: float
    process: int
    kind: str
    function: str


class Listener:
    """Collects the calls of all processes that connect to its socket."""

    def __init__(self, path: Path) -> None:
        """Listen in a thread of its own."""
        self.calls: list[Call] = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def between(self, begin: float, end: float) -> list[Call]:
        """The calls between two monotonic seconds."""
        return [call for call in list(self.calls) if begin <= call.at <= end]

    def _accept(self) -> None:
        while True:
            process, _ = self._socket.accept()
            threading.Thread(target=self._read, args=(process,), daemon=True).start()

    def _read(self, process: socket.socket) -> None:
        for line in process.makefile(encoding="utf-8"):
            pid, kind, function = line.rstrip("\n").split(" ", 2)
            self.calls.append(Call(time.monotonic(), int(pid), kind, function))


@contextmanager
def running(folder: Path) -> Iterator[int]:
    """`culld run` on a folder with the hook in each process; gives the process number of the daemon."""
    hook = folder / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(HOOK)
    (folder / "culld.yaml").write_text(CONFIG)
    (folder / "inbox").mkdir()
    environ = {
        **os.environ,
        "PYTHONPATH": str(hook),
        "TRACE_SOCKET": str(folder / "socket"),
        "TRACE_PACKAGE": str(PACKAGE),
    }
    command = [sys.executable, "-m", "culld", "run", "--config", folder / "culld.yaml"]
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def blurred_jpeg() -> bytes:
    """A JPEG that is out of focus."""
    noise = Image.frombytes("RGB", (960, 720), random.Random(1).randbytes(960 * 720 * 3))  # noqa: S311
    stream = io.BytesIO()
    noise.filter(ImageFilter.GaussianBlur(14)).save(stream, "JPEG")
    return stream.getvalue()


def wait_until(true: Callable[[], bool]) -> float:
    """The monotonic second at which something is true; raises TimeoutError."""
    deadline = time.monotonic() + _LONGEST_S
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)
    return time.monotonic()


def trace(folder: Path) -> tuple[int, list[Call], list[Call]]:
    """The process number of the daemon, the calls for one photo, and those of an idle daemon."""
    listener = Listener(folder / "socket")
    log = folder / "log.txt"
    with running(folder) as daemon:
        ready = wait_until(lambda: log.exists() and "ready" in log.read_text())
        time.sleep(_IDLE_S)
        (folder / "inbox" / "a.jpg").write_bytes(blurred_jpeg())
        dropped = time.monotonic()
        reported = wait_until(lambda: "a.jpg" in log.read_text())
    assert list((folder / "quarantine").rglob("a.jpg")), log.read_text()
    return daemon, listener.between(dropped, reported), listener.between(ready + 1, dropped)


def count(functions: Collection[str]) -> str:
    """Functions and files, as text."""
    return f"{len(functions):4} functions in {len({name.partition(':')[0] for name in functions}):3} files"


def main() -> None:
    """Trace one photo and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print the functions as well")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        daemon, calls, idle = trace(Path(folder))
    named = [call for call in calls if call.kind == "call"]
    every = {call.function for call in named}
    anyway = {call.function for call in idle if call.kind == "call"}
    print(f"from event to log line:      {count(every)}")
    print(f"without those of idle loop:  {count(every - anyway)}")
    print(f"in the daemon:               {count({call.function for call in named if call.process == daemon})}")
    print(f"in the worker:               {count({call.function for call in named if call.process != daemon})}")
    trips = sum(call.kind == "receive" and call.process != daemon for call in calls)
    print(f"calls of named functions: {len(named)}; requests that the worker answered: {trips}")
    if wanted.list:
        for name in sorted(every):
            where = "".join(
                letter
                for letter, found in (("d", True), ("w", False))
                if any(call.function == name and (call.process == daemon) is found for call in named)
            )
            print(f"{where:2} {'idle' if name in anyway else '    '} {name}")


if __name__ == "__main__":
    main()
