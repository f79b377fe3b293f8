"""The configured folders as they are now: which of them are there, are ours alone, and can be watched."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Self

from culld.files.locks import RootLocks
from culld.files.mount_guard import MountGuard
from culld.files.mounts import remote_roots
from culld.records import display_path
from culld.stages.watch.events import Watcher

if TYPE_CHECKING:
    from pathlib import Path

    from culld.config import Config
    from culld.files.mount_guard import Devices
    from culld.stages.watch.signals import LoopQueue

log = logging.getLogger(__name__)


class WatchedRoots:
    """Watches the roots from entering to leaving the context, and knows which folders are away.

    `offline` says why, by folder; `far` are the roots on file systems that others write to as well, which are not
    watched.
    """

    def __init__(self, config: Config, file: Path, marks: LoopQueue, devices: Devices) -> None:
        """Look at nothing yet; `marks` will tell of events, also that the configuration `file` was saved."""
        self.roots = tuple(watch.path for watch in config.watch)
        self.quarantine = config.quarantine
        self.offline: dict[Path, str] = {}
        self.far: frozenset[Path] = frozenset()
        self._watcher = Watcher(self.roots, file, marks)
        self._anchors = MountGuard(devices)
        self._claims = RootLocks(config.state)

    def __enter__(self) -> Self:
        """Raises SystemFaultError if another culld works on one of the folders, or on one above a root."""
        self._claims.acquire_all(self.roots, self.quarantine)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watcher.stop()
        self._claims.close()

    @property
    def present(self) -> list[Path]:
        """The roots that may be looked at now."""
        return [root for root in self.roots if root not in self.offline]

    @property
    def unwatched(self) -> int:
        """How many folders give no events, because the system's limit is reached."""
        return self._watcher.unwatched

    def look(self) -> None:
        """See which folders are there, watch those that have appeared, and say what has changed."""
        self.far = remote_roots(self.roots)
        self._watcher.refresh(self.far)
        away = {root: self._anchors.unavailable_reason(root) or self._claims.acquire(root) for root in self.roots}
        away[self.quarantine] = self._anchors.ensure(self.quarantine) or self._claims.quarantine_refused(
            self.quarantine
        )
        offline = {folder: why for folder, why in away.items() if why}
        for folder, why in offline.items():
            if self.offline.get(folder) != why:
                log.warning("%s %s; culld waits for it", display_path(folder), why)
        for folder in self.offline.keys() - offline.keys():
            log.info("%s is there again", display_path(folder))
        self.offline = offline

    def probe(self, now: float) -> None:
        """See whether events still come; `now` is the monotonic second."""
        self._watcher.probe(now)
