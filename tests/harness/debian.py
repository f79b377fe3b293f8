"""A small Debian that is really booted, by systemd-nspawn, with this very culld inside; also the base of the image."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import culld

RELEASE = "bookworm"
# What the interpreter and the libraries of the bound environment are linked to, besides systemd itself; and the Python
# of the container image, of which this Debian is the base in tests.
PACKAGES = ",".join(
    [
        *("systemd", "systemd-sysv", "libpam-systemd", "dbus", "dbus-user-session", "libsqlite3-0", "libssl3"),
        *("libffi8", "zlib1g", "libbz2-1.0", "liblzma5", "libstdc++6", "libexpat1", "python3", "python3-venv"),
    ]
)
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "culld-tests"
CODE = tuple(dict.fromkeys((Path(sys.prefix), Path(sys.base_prefix), Path(culld.__file__).resolve().parents[2])))
COMMAND = Path(sys.executable).with_name("culld")


def missing() -> str:
    """Why no machine can be booted here; empty if one can."""
    if os.geteuid() != 0:
        return "only root can boot a machine"
    if lacking := [name for name in ("debootstrap", "systemd-nspawn", "nsenter") if shutil.which(name) is None]:
        return f"needs {' and '.join(lacking)} (apt-get install debootstrap systemd-container)"
    if Path(sys.base_prefix) == Path("/usr"):
        return "needs an interpreter outside of /usr, which the machine has of its own"
    return ""


class NoMachineError(Exception):
    """No machine can be made or booted here."""


def root() -> Path:
    """The Debian, made once and kept; raises NoMachineError if Debian's packages cannot be downloaded.

    Another process of the tests that wants it at the same time waits.
    """
    found = CACHE / f"debian-{RELEASE}-{zlib.crc32(PACKAGES.encode()):08x}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with CACHE.joinpath("lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.is_dir():
            _make(found)
    return found


def _make(found: Path) -> None:
    fresh = found.with_name(f"{found.name}.{os.getpid()}")
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", RELEASE, fresh]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
        fresh.rename(found)
    except subprocess.CalledProcessError as error:
        lines = (error.stdout or "").strip().splitlines()
        raise NoMachineError(f"debootstrap made no Debian: {lines[-1] if lines else error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


@dataclass(frozen=True)
class Machine:
    """A booted machine; `leader` is its first process, as the host numbers it."""

    leader: int
    photos: Path
    console: Path

    @property
    def root(self) -> Path:
        """Its file system, as the host sees it."""
        return Path(f"/proc/{self.leader}/root")

    def run(self, *command: str | Path, check: bool = True) -> str:
        """Run a command in it as root; gives what it printed."""
        enter = ["nsenter", "--target", str(self.leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root", "SYSTEMD_COLORS": "0"}
        done = subprocess.run(
            [*enter, "--", *command], capture_output=True, text=True, env=environ, cwd="/", check=False, timeout=180
        )
        assert not check or done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}{self.log()}"
        return done.stdout

    def signal(self, pid: int, name: str) -> None:
        """Send a signal to a process, as the machine numbers it."""
        self.run("sh", "-c", f"kill -{name} {pid}")  # the shell's own: the program is not part of a small Debian

    def show(self, name: str) -> str:
        """A property of the service."""
        return self.run("systemctl", "show", "--value", f"--property={name}", "culld").strip()

    def log(self) -> str:
        """Return the log of the service."""
        return self.run("journalctl", "--no-pager", "--output=cat", "--unit=culld", check=False)

    def wait_until(self, true: Callable[[], bool], what: str, seconds: float = 60) -> float:
        """Fail unless it becomes true in time; gives the seconds that it took."""
        begun = time.monotonic()
        while not true():
            assert time.monotonic() - begun < seconds, f"{what} did not happen; the log:\n{self.log()}"
            time.sleep(0.1)
        return time.monotonic() - begun


@contextmanager
def booted(folder: Path) -> Iterator[Machine]:
    """Boot a copy of the Debian; `folder` gets the photos (at /srv/photos inside) and the console's output.

    Raises NoMachineError if there is none, or nspawn may not start it.
    """
    photos, console = folder / "photos", folder / "console.txt"
    photos.mkdir()
    command = ["systemd-nspawn", f"--directory={root()}", "--ephemeral", "--boot", "--register=no", "--keep-unit"]
    command += ["--private-network", "--machine=culld-test", f"--bind={photos}:/srv/photos"]
    command += [f"--bind-ro={path}" for path in CODE]
    with console.open("w") as output:
        nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        machine = Machine(_leader(nspawn, console), photos, console)
        states = {"running", "degraded"}
        machine.wait_until(
            lambda: machine.run("systemctl", "is-system-running", check=False).strip() in states, "the boot", 90
        )
        yield machine
    finally:
        nspawn.terminate()  # an orderly power-off
        try:
            nspawn.wait(60)
        except subprocess.TimeoutExpired:
            nspawn.kill()
            nspawn.wait()


def _leader(nspawn: subprocess.Popen[bytes], console: Path) -> int:
    """The machine's first process, once it is systemd; raises NoMachineError if nspawn ends before."""
    children = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and nspawn.poll() is None:
        for child in map(int, children.read_text().split()):
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                return child
        time.sleep(0.1)
    raise NoMachineError(f"systemd-nspawn did not boot: {console.read_text()[-300:].strip()}")
