"""The availability of the watched folders and the quarantine: mounted, not used by another culld, watched."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final, Self

from culld.files.locks import RootLocks
from culld.files.mount_guard import MountGuard
from culld.files.mounts import remote_roots
from culld.records import WISH_FOLDER, display_path
from culld.stages.watch.events import Watcher

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from culld.config import Config
    from culld.files.mount_guard import Devices
    from culld.stages.watch.signals import LoopQueue

log = logging.getLogger(__name__)


class WatchedRoots:
    """Watches the roots while the context is entered, and checks which folders are available.

    `offline` holds the reason for each unavailable folder; `remote_roots` are the roots on file systems that other
    machines write to as well, from which no events come.
    """

    def __init__(self, config: Config, file: Path, queue: LoopQueue, devices: Devices) -> None:
        """Start nothing; `queue` will get a wake-up for each event, also when the configuration `file` is saved."""
        self.roots = tuple(watch.path for watch in config.watch)
        self.quarantine = config.quarantine
        self.offline: dict[Path, str] = {}
        self.remote_roots: frozenset[Path] = frozenset()
        self._watcher = Watcher(self.roots, file, queue, config.state / WISH_FOLDER)
        self._mount_guard = MountGuard(devices)
        self._locks = RootLocks(config.state)

    def __enter__(self) -> Self:
        """Lock the folders and start watching.

        Raises SystemFaultError if another culld uses one of the folders, or one above a root.
        """
        self._locks.acquire_all(self.roots, self.quarantine)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watcher.stop()
        self._locks.close()

    @property
    def present(self) -> list[Path]:
        """The roots that are available now."""
        return [root for root in self.roots if root not in self.offline]

    @property
    def has_quarantine(self) -> bool:
        """Whether the quarantine is available now."""
        return self.quarantine not in self.offline

    @property
    def unwatched(self) -> int:
        """The number of folders that give no events because the limit of watches is reached."""
        return self._watcher.unwatched

    def refresh(self) -> None:
        """Check which folders are available, watch those that have appeared, and log the changes."""
        self.remote_roots = remote_roots(self.roots)
        self._watcher.refresh(self.remote_roots)
        unavailable = {
            root: self._mount_guard.unavailable_reason(root) or self._locks.acquire(root) for root in self.roots
        }
        unavailable[self.quarantine] = self._mount_guard.ensure(self.quarantine) or self._locks.quarantine_refused(
            self.quarantine
        )
        offline = {folder: why for folder, why in unavailable.items() if why}
        for folder, why in offline.items():
            if self.offline.get(folder) != why:
                log.warning("%s %s; culld waits for it", display_path(folder), why)
        for folder in self.offline.keys() - offline.keys():
            log.info("%s is available again", display_path(folder))
        self.offline = offline

    def probe(self, now: float) -> None:
        """Restart the observer if events no longer arrive; `now` is the monotonic second."""
        self._watcher.probe(now)


_MAX_SHOWN: Final = 20

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Failures:
    """The number of entries of one folder that could not be read in one scan, and the reason for the first one."""

    count: int = 0
    reason: str = ""

    def add(self, error: Exception) -> None:
        """Count one more failure."""
        self.count += 1
        self.reason = self.reason or str(error)

    def __str__(self) -> str:
        return f"{self.reason} ({self.count} entries of this folder)" if self.count > 1 else self.reason


@dataclass(slots=True)
class UnreadableFolders:
    """The reason for each folder that is not read completely; a folder is logged once, until it can be read again."""

    reasons: dict[Path, str] = field(default_factory=dict)

    def note(self, folder: Path, reason: str) -> None:
        """Keep the reason why a folder or an entry in it cannot be read; warn if the folder was readable before."""
        if folder not in self.reasons:
            log.warning("%s; the other folders are scanned, and culld tries this one again at each scan", reason)
        self.reasons[folder] = reason

    def clear(self, folder: Path) -> None:
        """Drop the reason of a folder that could be read completely."""
        if self.reasons.pop(folder, None) is not None:
            log.info("%s can be read again", display_path(folder))

    def below(self, folder: Path) -> set[Path]:
        """Return the unreadable folders at or below a folder."""
        return {unread for unread in self.reasons if unread.is_relative_to(folder)}

    def forget(self, folders: Iterable[Path]) -> None:
        """Drop folders that are no longer there."""
        for folder in folders:
            self.reasons.pop(folder, None)

    def as_text(self) -> dict[str, str]:
        """The reasons of the first folders, as text."""
        return {display_path(folder): reason for folder, reason in islice(sorted(self.reasons.items()), _MAX_SHOWN)}

    def __len__(self) -> int:
        return len(self.reasons)
