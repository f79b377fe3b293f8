"""A command on a terminal of some size: what a person sees of it at the end."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.cells import cell_len

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-ln-z]")


def on_terminal(
    command: Sequence[str | Path], columns: int, folder: Path, environ: Mapping[str, str] | None = None
) -> list[str]:
    """Run a command with its streams on a terminal; return its lines with their colours, as they stand at its end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    known = {"TERM": "xterm-256color", "PATH": os.environ["PATH"], "HOME": str(folder)} | dict(environ or {})
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=known) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # EIO: the other end is closed
            while data := os.read(ours, 1 << 16):
                shown += data
        os.close(ours)
        process.wait(100)
    lines = shown.decode().replace("\r\n", "\n").rstrip("\n").split("\n")
    # A progress bar is drawn again and again in its line; only the last time is seen.
    return [_CONTROL.sub("", re.split(r"\r|\x1b\[2K", line)[-1]) for line in lines]


def plain(line: str) -> str:
    """Return a line without its colours."""
    return _STYLE.sub("", line)


def widest(lines: Sequence[str]) -> int:
    """Return the columns that the widest line takes."""
    return max((cell_len(plain(line)) for line in lines), default=0)
