"""The installed command, as a process, on real folders; for the system tests and the fault report."""

from __future__ import annotations

import hashlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from culld.journal.migrations import STEPS

COMMAND = Path(sys.executable).with_name("culld")

POLICY = """\
watch:
  - path: inbox
quarantine: quarantine
state: state
settle: {quiet: 500ms}
batch: {wait: 300ms}
rescan: 5s
workers: 2
policy:
  mode: enforce
  defects:
    blur:  {tag: 0.5, reject: 0.97}
    under: {tag: 0.6, reject: never}
    over:  {tag: 0.6, reject: never}
"""


class Rooms:
    """The paths below the folder of a house."""

    folder: Path

    @property
    def inbox(self) -> Path:
        """The watched folder."""
        return self.folder / "inbox"

    @property
    def quarantine(self) -> Path:
        """The quarantine."""
        return self.folder / "quarantine"


@dataclass(frozen=True)
class House(Rooms):
    """A folder with a configuration, an inbox and a quarantine; `before` is put before the command."""

    folder: Path
    before: tuple[str, ...] = ()

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "culld.yaml"

    def build(self, policy: str = POLICY) -> Self:
        """Make the inbox and write the configuration."""
        self.inbox.mkdir(parents=True)
        self.config.write_text(policy)
        return self

    @property
    def journal(self) -> Path:
        """The database, which the first start makes."""
        return self.folder / "state" / "journal.sqlite3"

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """Rows out of the journal; none while there is no journal, or its first start still makes the tables."""
        if not self.journal.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True, timeout=30)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            return db.execute(question).fetchall() if version == len(STEPS) else []

    def culld(self, *arguments: str, expect: int = 0) -> str:
        """Run a command with this configuration; returns what it printed."""
        done = self.run(*arguments)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout

    def fault(self, *arguments: str) -> str:
        """Run a command that ends with a system fault; returns its message."""
        done = self.run(*arguments)
        assert done.returncode == 3, done.stdout + done.stderr
        return done.stderr

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command with this configuration, however it ends."""
        where = () if arguments[0] == "policy" else ("--config", self.config)  # whose actions name a file themselves
        command = [*self.before, COMMAND, *arguments, *where]
        return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)

    @contextmanager
    def daemon(self) -> Iterator[subprocess.Popen[str]]:
        """`culld run` in the background; ended with SIGTERM if it still runs, and then it must end well."""
        log = (self.folder / "log.txt").open("a")
        command = [*self.before, COMMAND, "run", "--config", self.config]
        process = subprocess.Popen(command, stdout=log, stderr=log, text=True)
        try:
            self.wait_until(lambda: self.state() == "running" or process.poll() is not None, "the start")
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                assert process.wait(20) == 0, self.log()
            log.close()

    def state(self) -> str:
        """Return the daemon's state from `culld status`; empty before the first start."""
        done = subprocess.run(
            [COMMAND, "status", "--json", "--config", self.config],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return str(json.loads(done.stdout)["state"]) if done.returncode == 0 else ""

    def log(self) -> str:
        """Return the daemon's log so far."""
        return (self.folder / "log.txt").read_text()

    def drop(self, name: str, data: bytes) -> Path:
        """Copy a file into the inbox."""
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def photos(self, folder: Path) -> dict[str, str]:
        """The photos below a folder: relative name and digest of the bytes."""
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*.jpg"))
            if path.is_file()
        }

    def wait_until(self, true: Callable[[], bool], what: str, seconds: float = 40) -> None:
        """Fail unless it becomes true in time."""
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"{what} did not happen; the log:\n{self.log()}"
            time.sleep(0.1)
