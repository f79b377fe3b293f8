"""Copies of objects in a temporary folder, which the workers read as they read files.

The threads of pyarrow cannot be ended: a download that takes too long is given up, and its thread ends when the storage
closes the connection. Too many of them end the run.
"""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from culld.archive.objects.errors import ObjectError, ObjectGoneError, StorageError, TooLargeError
from culld.archive.objects.uri import uri_of
from culld.errors import InternalError, PhotoError, SystemFaultError
from culld.files.open_beneath import stamp_of
from culld.records import FileSnapshot, FileStat, ReadFailure, RootedPath, display_path
from culld.retry import TOO_LARGE_RETRY_AFTER
from culld.stages.read.messages import possible_sidecars
from culld.stages.read.own_metadata import MAX_XMP_SCAN
from culld.tags.names import fits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culld.archive.objects.folders import ObjectFolders

_TICK_S: Final = 0.05
_GONE: Final = "it was removed after it was listed"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What downloads may take: bytes of one object, objects at once, seconds, disk.

    An object has `patience_s`, and a second more for each `least_rate` of its bytes; at `most_stuck` downloads that
    were given up and still go on, the storage counts as broken. `reserve` bytes of the temporary folder stay free.
    """

    most_bytes: int = 10**9
    at_once: int = 8
    patience_s: float = 60.0
    least_rate: int = 100_000
    most_stuck: int = 64
    reserve: int = 256 << 20


@dataclass(frozen=True, slots=True)
class Copy:
    """A photo as a file of this machine, and its stamp in the storage."""

    local: FileSnapshot
    stamp: FileStat


Copied = Copy | ReadFailure | PhotoError


@dataclass(slots=True)
class _Task:
    """A photo that is copied; it has a slot from its begin, when `ends_at` is known, until its end."""

    place: RootedPath
    folder: Path
    ends_at: float | None = None
    has_slot: bool = False
    result: Copied | SystemFaultError | None = None
    done: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class Copier:
    """Copies photos, each with its XMP sidecars, into a folder of its own."""

    folders: ObjectFolders
    allowance: Allowance
    clock: Callable[[], float] = time.monotonic
    _slots: threading.Semaphore = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stuck: list[_Task] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the slots of the threads."""
        self._slots = threading.Semaphore(self.allowance.at_once)

    def copies(self, places: Sequence[RootedPath], into: Path) -> dict[RootedPath, Copied]:
        """Copy photos, and return each, or why there is no copy.

        Raises SystemFaultError if the disk is full or nothing in the bucket can be read.
        """
        tasks = [_Task(place, into / str(number)) for number, place in enumerate(places)]
        for task in tasks:
            threading.Thread(target=self._run, args=(task,), daemon=True).start()
        found: dict[RootedPath, Copied] = {}
        for task in tasks:
            result = self._result(task)
            if isinstance(result, SystemFaultError):
                raise result
            found[task.place] = result
        return found

    def _result(self, task: _Task) -> Copied | SystemFaultError:
        while not task.done.wait(_TICK_S):
            if task.ends_at is not None and self.clock() > task.ends_at:
                return self._given_up(task)
        assert task.result is not None  # noqa: S101 (for the type checker)
        return task.result

    def _given_up(self, task: _Task) -> ObjectError | StorageError:
        self._free(task)
        self._stuck = [*(each for each in self._stuck if not each.done.is_set()), task]
        if len(self._stuck) >= self.allowance.most_stuck:
            uri = uri_of(task.place.root).bucket_uri
            return StorageError(f"{len(self._stuck)} downloads do not end; start the same command again", uri)
        return ObjectError("its download took too long, and was given up")

    def _free(self, task: _Task) -> None:
        with self._lock:
            if task.has_slot:
                task.has_slot = False
                self._slots.release()

    def _run(self, task: _Task) -> None:
        """Copy one photo, in a thread; no exception leaves it."""
        self._slots.acquire()
        task.has_slot = True
        try:
            task.ends_at = self.clock() + self._seconds(task.place)
            task.result = self._copied(task)
        except (PhotoError, SystemFaultError) as error:
            task.result = error
        except Exception as error:  # noqa: BLE001 (a thread of its own: the error is that of the photo)
            task.result = InternalError(f"internal error: {error!r}")
        finally:
            self._free(task)
            task.done.set()

    def _seconds(self, place: RootedPath) -> float:
        found = self.folders.find(place)
        size = 0 if found is None else min(found.stamp.size, self.allowance.most_bytes)
        return self.allowance.patience_s + size / self.allowance.least_rate

    def _copied(self, task: _Task) -> Copied:
        """Copy the sidecars and the photo; without a sidecar that is there, a rating would be overlooked."""
        place = task.place
        task.folder.mkdir(parents=True)
        name = place.relative.name
        local = RootedPath(task.folder, Path(name if fits(name) else f"photo{PurePath(name).suffix}"))
        try:
            self._copy_sidecars(place, task.folder)
            stamp = self._copy(place, local.path, self.allowance.most_bytes)
        except ObjectGoneError:
            return PhotoError(_GONE)
        except TooLargeError as error:
            return ReadFailure(
                FileSnapshot(place, error.stamp), "larger than limits.file_size allows", TOO_LARGE_RETRY_AFTER
            )
        there = stamp_of(local)
        return PhotoError("its copy was removed") if there is None else Copy(FileSnapshot(local, there), stamp)

    def _copy_sidecars(self, place: RootedPath, folder: Path) -> None:
        for sidecar in possible_sidecars(place):
            if self.folders.find(sidecar) is None:
                continue
            try:
                self._copy(sidecar, folder / sidecar.relative.name, MAX_XMP_SCAN)
            except ObjectGoneError:
                continue
            except ObjectError as error:
                raise ObjectError(f"its sidecar {display_path(sidecar.relative)} cannot be read: {error}") from error

    def _copy(self, place: RootedPath, to: Path, most: int) -> FileStat:
        listed = self.folders.find(place)
        needed = (0 if listed is None else min(listed.stamp.size, most)) + self.allowance.reserve
        if shutil.disk_usage(to.parent).free < needed:
            raise SystemFaultError(
                f"no space for temporary copies in {display_path(to.parents[3])}; make some, or set"
                " TMPDIR to another folder, and start the same command again"
            )
        path = uri_of(place.path)
        return self.folders.stores.of(place.root).fetch(path.path, to, most).stamp
