"""A display without a screen, and the programs that run on it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

NEEDED = ("darktable", "digikam", "Xvfb", "xdotool", "dbus-run-session", "exiftool")
"""Debian packages: darktable, digikam, xvfb, xdotool, dbus-daemon, libimage-exiftool-perl."""

_PATIENCE = 180


class NotDrivenError(Exception):
    """A program did not react to a key or click in time."""


def missing() -> list[str]:
    """The programs that are needed and not installed."""
    return [name for name in NEEDED if shutil.which(name) is None]


@contextmanager
def screen() -> Iterator[str]:
    """A virtual screen; its name is what $DISPLAY wants."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-screen", "0", "1280x900x24", "-nolisten", "tcp", "-displayfd", str(writing)]
    with running(command, {}, pass_fds=(writing,)):
        os.close(writing)
        with os.fdopen(reading, encoding="ascii") as stream:
            yield f":{stream.readline().strip()}"


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], pass_fds: Sequence[int] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """A program in a session of its own, which is ended with all that it started."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=pass_fds,
    )
    try:
        yield process
    finally:
        for kind in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, kind)
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)


def until(condition: Callable[[], bool], what: str, again: Callable[[], None] = lambda: None) -> None:
    """Wait for a condition, doing something `again` in between."""
    end = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise NotDrivenError(what)
        again()
        time.sleep(0.5)


def home(folder: Path) -> dict[str, str]:
    """The environment of a program that has a home of its own."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = {"HOME": "", "XDG_RUNTIME_DIR": "", "XDG_CONFIG_HOME": ".config", "XDG_CACHE_HOME": ".cache"}
    names["XDG_DATA_HOME"] = ".local/share"
    for below in names.values():
        (folder / below).mkdir(parents=True, exist_ok=True)
    return {name: str(folder / below) for name, below in names.items()} | {"QTWEBENGINE_DISABLE_SANDBOX": "1"}
