"""What the routes share: the configuration, the journal on a thread of its own, the pictures and the secrets."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from culld.app.compare import DEFAULT_MODEL, create_comparer
from culld.app.compare_messages import CompareSettings
from culld.app.model_files import resolve_policies
from culld.app.review.index import Index
from culld.app.review.journal import open_review
from culld.app.review.simulate import Simulator
from culld.app.review.snapshot import load_index, save_index
from culld.app.upscale import create_upscaler
from culld.app.upscale_messages import MOST_TILES, SECONDS_A_TILE
from culld.config import load_config
from culld.errors import CulldError, SystemFaultError
from culld.inference.worker_process import WorkerLimits
from culld.system.systemd.unit_files import WEB_FOLDER
from culld.web.changes import Changes
from culld.web.copy_files import CopyFiles
from culld.web.heat import create_heat
from culld.web.picture_cache import PictureCache
from culld.web.picture_requests import worker_factory
from culld.web.regions import create_regions
from culld.web.secret_store import SecretStore
from culld.web.upscaling import Upscaling
from culld.web.worker_pool import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from culld.config import Config
    from culld.journal.review import ReviewReader
    from culld.records import FolderPolicies

log = logging.getLogger(__name__)
Result = TypeVar("Result")
_REOPEN_S = 2.0
_PICTURE_WORKERS = 2
_PICTURE_S = 20.0


@dataclass(slots=True)
class Reading:
    """The journal and its index, used only by the thread of `Site.read`."""

    state: Path
    snapshot: Path
    index: Index = field(default_factory=Index)
    simulator: Simulator = field(default_factory=Simulator)
    _journal: ReviewReader | None = None
    _opened: float = 0.0
    _saved: int = 0
    _file: tuple[int, int] | None = None

    def journal(self) -> ReviewReader:
        """Return the open journal; it is opened again if it was replaced, and a snapshot also every two seconds."""
        if self._journal is not None and _is_replaced(self._journal.path, self._file):
            self.close()
            self.index = Index()
        if self._journal is not None and self._journal.is_snapshot and time.monotonic() - self._opened > _REOPEN_S:
            self.close()
        if self._journal is None:
            self._journal = open_review(self.state)
            self._file = _identity(self._journal.path)
            self._opened = time.monotonic()
            self.index.forget_version()
            if not len(self.index.ids):
                load_index(self.index, self._journal, self.snapshot)
                self._saved = self.index.change
        return self._journal

    def fresh(self) -> Index:
        """Return the index with all changes of the journal."""
        self.index.refresh(self.journal())
        return self.index

    def close(self) -> None:
        """Close the journal, and write the index for the next process if it has changed."""
        if self._journal is not None:
            if self.index.change != self._saved:
                save_index(self.index, self._journal, self.snapshot)
                self._saved = self.index.change
            self._journal.close()
        self._journal = None


@dataclass(slots=True)
class Site:
    """Everything behind the routes; its methods are called by the event loop's thread."""

    config: Config
    config_file: Path
    environ: Mapping[str, str]
    store: SecretStore
    cache: PictureCache
    pool: WorkerPool
    comparer: WorkerPool
    upscaling: Upscaling
    reading: Reading
    copies: CopyFiles
    changes: Changes = field(init=False)
    used: float = field(default_factory=time.monotonic)
    _reader: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "culld-journal"))
    comparing: int = 0
    _policies: tuple[int, FolderPolicies] | None = None

    def __post_init__(self) -> None:
        """Let the changes look at the journal of this site."""
        self.changes = Changes(self._last_change)

    @classmethod
    def of(cls, config_file: Path, config: Config, cache: Path, environ: Mapping[str, str]) -> Site:
        """Return the site of a configuration."""
        return cls(
            config,
            config_file,
            environ,
            SecretStore(config.state / WEB_FOLDER),
            PictureCache(cache, config.web.cache),
            _picture_pool(config),
            _comparer(config),
            Upscaling(_upscaler(config)),
            Reading(config.state, cache / f"index-{_instance(config)}.npz"),
            CopyFiles(config.limits.file_size),
        )

    @property
    def cookie(self) -> str:
        """The name of the cookie; cookies do not know ports, so that each library has a name of its own."""
        return f"culld-{_instance(self.config)}"

    def _stamp(self) -> int:
        try:
            return self.config_file.stat().st_mtime_ns
        except OSError:
            return 0

    def reading_check(self) -> None:
        """Raise SystemFaultError if there is no journal that can be read."""
        open_review(self.config.state).close()

    async def read(self, work: Callable[[Reading], Result]) -> Result:
        """Return the result of reading the journal, on its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, work, self.reading)

    def policies(self) -> FolderPolicies:
        """Return the policies in force: those of the file as it is now, or the last ones if it has mistakes."""
        try:
            stamp = self._stamp()
            if self._policies is None or self._policies[0] != stamp:
                self._policies = (stamp, resolve_policies(load_config(self.config_file, self.environ)))
        except CulldError as error:  # a file that is being saved must not end the page
            log.warning("the policy is not read again: %s", error)
            if self._policies is None:
                raise SystemFaultError(f"the policy cannot be read: {error}") from error
        return self._policies[1]

    async def _last_change(self) -> int:
        return await self.read(lambda reading: reading.fresh().change)

    async def warm(self) -> None:
        """Read the whole journal before the first request needs it."""
        try:
            await self._last_change()
        except SystemFaultError as error:
            log.warning("%s", error)

    @property
    def idle_s(self) -> float:
        """The seconds since the last request; 0 while a page listens to changes, or a picture is to be called for."""
        return 0.0 if self.changes.listeners or self.upscaling.is_needed else time.monotonic() - self.used

    async def rest(self) -> None:
        """End the workers that have nothing to do, and drop the pictures that no program has called for."""
        await self.pool.rest()
        await self.comparer.rest()
        await self.upscaling.rest()

    async def close(self) -> None:
        """End the streams and the workers, and close the journal."""
        await self.changes.end()
        await self.pool.close()
        await self.comparer.close()
        await self.upscaling.close()
        await self.read(Reading.close)
        self._reader.shutdown(wait=True)


def _picture_pool(config: Config) -> WorkerPool:
    """Return the workers that make pictures."""
    limits = config.limits
    heat = functools.partial(create_heat, config.model.path, limits.pixels, limits.file_size)
    regions = functools.partial(create_regions, limits.pixels, limits.file_size)
    return WorkerPool(
        functools.partial(worker_factory, limits.pixels, limits.file_size, heat, regions),
        _PICTURE_WORKERS,
        WorkerLimits(limits.memory, _PICTURE_S),
        "The photo cannot be shown",
    )


def _comparer(config: Config) -> WorkerPool:
    """Return the worker that compares photos."""
    limits = config.limits
    settings = CompareSettings(DEFAULT_MODEL, limits.pixels, limits.file_size)
    return WorkerPool(
        functools.partial(create_comparer, settings),
        1,
        WorkerLimits(limits.memory, limits.time.total_seconds()),
        "The photos cannot be compared",
    )


def _upscaler(config: Config) -> WorkerPool:
    """Return the worker that repairs pictures; it limits itself by the size of each, and this is for the largest."""
    limits = config.limits
    seconds = limits.time.total_seconds() + SECONDS_A_TILE * MOST_TILES
    return WorkerPool(
        functools.partial(create_upscaler, config),
        1,
        WorkerLimits(limits.memory, seconds),
        "The picture cannot be repaired",
    )


def _identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of a file; None if it is not there or cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_replaced(path: Path, before: tuple[int, int] | None) -> bool:
    """Return whether another file has the path now, as after the daemon has set a damaged journal aside."""
    return _identity(path) not in {None, before}


def _instance(config: Config) -> str:
    """Return eight characters that differ between the libraries of a machine."""
    return hashlib.sha256(os.fsencode(config.state)).hexdigest()[:8]
