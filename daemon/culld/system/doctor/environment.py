"""Checks of the machine: watch limit, Python, libraries, decoders, GPU, clock, and the model."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.errors import CulldError
from culld.system.doctor.checks import Check, bad, ok, warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

WATCH_LIMIT: Final = Path("/proc/sys/fs/inotify/max_user_watches")

_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_CHECKED_BY_ITSELF: Final = "pillow-heif"
_OLDEST: Final = (3, 11)
_DAY_S: Final = 86400.0


def number(file: Path) -> int | None:
    """Return the number in a file of /proc, or None if it cannot be read."""
    try:
        return int(file.read_text("ascii"))
    except (OSError, ValueError):
        return None


def watches(folders: int, limit: int | None) -> Check:
    """Check that this user may watch `folders` folders; other programs count against the same limit."""
    name = "inotify watches"
    if limit is None:
        return warn(name, f"the limit of {WATCH_LIMIT} cannot be read", "culld then relies on `rescan`")
    what = f"{folders} folders to watch, {limit} allowed for all programs of this user"
    if folders > limit * 0.8:
        setting = f"fs.inotify.max_user_watches={max(2 * folders, 524_288)}"
        return warn(name, what, f"echo {setting} | sudo tee /etc/sysctl.d/60-culld.conf && sudo sysctl --system")
    return ok(name, what)


def python(version: tuple[int, int, int]) -> Check:
    """Check that this Python is new enough."""
    what = ".".join(map(str, version))
    if version[:2] < _OLDEST:
        return bad("Python", what, "install culld with Python 3.11 or newer")
    return ok("Python", f"{what} in {sys.prefix}")


def required(requirements: Iterable[str]) -> list[str]:
    """Return the names of the required distributions, without those that have checks of their own (extras, HEIC)."""
    core = (_NAME.match(each) for each in requirements if "extra ==" not in each)
    return sorted(match[0] for match in core if match is not None and match[0] != _CHECKED_BY_ITSELF)


def libraries(
    requirements: Callable[[str], Iterable[str] | None] = importlib.metadata.requires,
    version: Callable[[str], str] = importlib.metadata.version,
) -> Iterator[Check]:
    """Check that each library that culld requires is installed, and in which version; none of them is imported."""
    try:
        names = required(requirements("culld") or ())
    except importlib.metadata.PackageNotFoundError:
        yield warn("libraries", "are not known, because culld is not installed as a package", "install culld with pip")
        return
    for name in names:
        try:
            yield ok(name, version(name))
        except importlib.metadata.PackageNotFoundError:
            yield bad(name, "is not installed", f"{sys.executable} -m pip install {name}")


def has_module(name: str) -> bool:
    """Return whether a module can be imported, without importing it."""
    return importlib.util.find_spec(name) is not None


def heic(has: Callable[[str], bool] = has_module) -> Check:
    """Check that HEIC, the format of many phones, can be decoded."""
    if has("pillow_heif"):
        return ok("HEIC decoder", "installed")
    fix = f"{sys.executable} -m pip install pillow-heif"
    return warn("HEIC decoder", "not installed: HEIC photos count as unreadable and stay where they are", fix)


def gpu(devices: Sequence[Path], has: Callable[[str], bool] = has_module) -> Check:
    """Check whether there is a GPU, and TensorFlow to use it."""
    found = ", ".join(str(device) for device in devices if device.exists())
    if not found:
        return ok("GPU", "none found; culling needs none")
    if has("tensorflow"):
        return ok("GPU", f"{found}; TensorFlow is installed")
    return ok("GPU", f"{found}; `{sys.executable} -m pip install 'tensorflow[and-cuda]'` lets culld use it")


def engine(asked: str, kind: str, why: str) -> Check:
    """Report which engine judges photos, and why; a warning if it is not the configured one."""
    if asked not in {"auto", kind}:
        return warn("engine", f"{kind}, for {why}", f"repair that, or set model.engine: {kind} (or auto)")
    return ok("engine", f"{kind}, for {why}")


def clock(now: datetime, newest: float) -> Check:
    """Check that the clock is not before `newest`, the time of culld's own newest file (seconds since the epoch)."""
    if now.timestamp() < newest - _DAY_S:
        fix = "set the clock, for example: sudo timedatectl set-ntp true"
        return warn(
            "clock", f"{now:%Y-%m-%d %H:%M} is before culld was installed: times in the log and in tags are wrong", fix
        )
    return ok("clock", f"{now:%Y-%m-%d %H:%M} UTC")


def instance(holder: str) -> Check:
    """Report whether a culld runs on this state folder; `holder` is its process id, empty if there is none."""
    return ok("culld", f"runs as process {holder}" if holder else "does not run now")


def model(probe: Callable[[], str]) -> Check:
    """Check that the model loads and answers; `probe` tries it, and returns its id or raises a CulldError."""
    try:
        return ok("model", f"{probe()} loads and answers")
    except CulldError as error:
        return bad(
            "model", str(error), "set model.path to a folder with model.tflite and card.json, or install culld again"
        )
