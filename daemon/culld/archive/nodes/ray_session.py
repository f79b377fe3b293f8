"""Ray on this machine alone: without dashboard, telemetry, log output, or any port that another machine can reach."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import secrets
import shutil
import signal
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.errors import SystemFaultError
from culld.system.doctor.environment import has_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MISSING: Final = "culld archive needs Ray and pyarrow: run `pip install 'culld[archive]'`"
_TEMP: Final = Path("/tmp")  # noqa: S108 (mkdtemp makes it private)
"""A short path: Ray has sockets there, and the path of a socket has 107 bytes at most."""
_PREFIX: Final = "culld-ray-"
_LOCK: Final = "culld.lock"
_STARTS: Final = 3
_STORE_BYTES: Final = 80 << 20
"""The object store: it holds lists of paths and counts only, and Ray takes no less than 75 MiB."""


def require_extra(has: Callable[[str], bool] = has_module) -> None:
    """Raise SystemFaultError if the extra `archive` is not installed."""
    if not (has("ray") and has("pyarrow")):
        raise SystemFaultError(MISSING)


@contextlib.contextmanager
def ray_session(workers: int) -> Iterator[None]:
    """Run Ray with so many processors for actors; its processes end with the context, and with this process.

    Raises SystemFaultError if Ray cannot be started.
    """
    os.environ |= {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DEDUP_LOGS": "0",  # repeated messages would be printed when Ray has ended, to the real output
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # under `uv run` Ray would install the project again for each actor
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # all servers listen on 127.0.0.1, which Linux hides otherwise
        "RAY_AUTH_MODE": "token",  # and other users of this machine cannot run code in the actors
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }
    remove_left_folders(_TEMP)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_TEMP))
    lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Ray prints to the standard output what it lost, although no log output is wanted.
        with Path(os.devnull).open("w") as null, contextlib.redirect_stdout(null):
            try:
                _start(workers, folder)
                end_on_sigterm()
                yield
            finally:
                _stop()
    finally:
        _remove(folder)
        os.close(lock)


def _start(workers: int, folder: Path) -> None:
    """Start Ray; on a busy machine its own limit of 30 s for that may be too short, so it has three tries."""
    import ray

    for left in reversed(range(_STARTS)):
        try:
            ray.init(
                address="local",  # also where RAY_ADDRESS names a cluster
                num_cpus=workers,
                include_dashboard=False,
                logging_level=logging.ERROR,
                log_to_driver=False,
                object_store_memory=_STORE_BYTES,
                _temp_dir=str(folder),
            )
        except Exception as error:
            _stop()
            if not left:
                why = str(error).strip().partition("\n")[0]
                raise SystemFaultError(f"Ray cannot be started: {why}") from error
        else:
            return


def end_on_sigterm() -> None:
    """End as after Ctrl-C: the handler of Ray prints addresses of code, and leaves its folder."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _stop() -> None:
    import ray

    ray.shutdown()


def _remove(folder: Path) -> None:
    """Remove a folder of Ray; its lock goes last, so that the next run finds what a process of Ray writes meanwhile."""
    for each in folder.iterdir():
        if each.is_symlink():  # to the newest session
            each.unlink(missing_ok=True)
        elif each.name != _LOCK:
            shutil.rmtree(each, ignore_errors=True)
    if [each.name for each in folder.iterdir()] == [_LOCK]:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_folders(temp: Path) -> None:
    """Remove the folders of Ray that runs of this user left when they were killed."""
    for lock in temp.glob(f"{_PREFIX}*/{_LOCK}"):
        with contextlib.suppress(OSError):  # a run uses it, or it belongs to another user
            if lock.parent.lstat().st_uid != os.geteuid():
                continue
            with lock.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(lock.parent)
