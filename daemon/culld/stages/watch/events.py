"""File-system events, which name folders to scan; with `inotify`, the only module that imports watchdog.

An event is only a hint: the kernel drops events when its queue overflows, and gives none for folders beyond its limit
of watches. Every folder is scanned after each loss that is detected, and by a timer.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)

from culld.files.mount_guard import ANCHOR
from culld.stages.watch.inotify import ObserverWithLoss
from culld.stages.watch.signals import DirtyFolder, LoopQueue, Signal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from watchdog.observers.api import ObservedWatch

log = logging.getLogger(__name__)

# Reading a photo must not cause an event, or culld would keep itself awake: no opened, no closed-unwritten.
_EVENT_TYPES: Final[list[type[FileSystemEvent]]] = [
    FileCreatedEvent,
    FileMovedEvent,
    FileClosedEvent,
    DirCreatedEvent,
    DirMovedEvent,
]
_STOP_TIMEOUT_S = 5.0


class Watcher:
    """Watches root folders and puts a wake-up on the queue for each folder in which something happened."""

    def __init__(
        self, roots: Sequence[Path], config: Path | None, queue: LoopQueue, wishes: Path | None = None
    ) -> None:
        """Watch `roots` with all folders below them, the folder of the `config` file for changes to it, and `wishes`.

        `wishes` is the folder of the wishes of people, None for none.
        """
        self._roots = tuple(roots)
        self._queue = queue
        self._config = config
        self._wishes = wishes
        self._observer = self._new_observer()
        self._watches: dict[Path, tuple[tuple[int, int], ObservedWatch]] = {}

    def start(self) -> None:
        """Start watching the configuration and the wishes; `refresh` starts watching the roots."""
        self._begin()

    def refresh(self, remote_roots: Collection[Path] = ()) -> None:
        """Watch roots that have appeared or were replaced since the last call; those in `remote_roots` are not."""
        found = {root: None if root in remote_roots else _identity(root) for root in self._roots}
        self._unwatch_removed(found)
        for root, identity in found.items():
            if identity is not None and root not in self._watches:
                self._watch(root, identity)

    def probe(self, now: float) -> None:
        """Check whether events still arrive; if not, restart the observer, and request a scan of every folder.

        Each call, at the monotonic second `now`, opens the anchors of the watched roots, which causes an event that a
        later call expects to have arrived.
        """
        self._unwatch_removed({root: _identity(root) for root in self._watches})
        if not self._observer.is_whole() or self._observer.probe_overdue(now):
            self._rebuild()
        for root in self._watches:
            self._observer.probe(root / ANCHOR, now)

    def _unwatch_removed(self, found: Mapping[Path, tuple[int, int] | None]) -> None:
        """Stop watching the roots that are gone or were replaced."""
        for root, (before, watch) in list(self._watches.items()):
            if found[root] != before:
                self._observer.unschedule(watch)
                del self._watches[root]

    def _watch(self, root: Path, identity: tuple[int, int]) -> None:
        try:
            watch = self._observer.schedule(
                _RootHandler(root, self._queue), str(root), recursive=True, event_filter=_EVENT_TYPES
            )
        except OSError as error:
            log.warning("%s is scanned by the timer only: it cannot be watched (%s); see `culld doctor`", root, error)
            return
        self._watches[root] = (identity, watch)
        # Files that arrived before the watch existed gave no event.
        self._queue.put(DirtyFolder(root, root, deep=True))

    @property
    def unwatched(self) -> int:
        """The number of folders that are not watched, because the system's limit is reached; the timer scans them."""
        return self._observer.unwatchable

    def stop(self) -> None:
        """End the watching thread."""
        self._observer.stop()
        self._observer.join(_STOP_TIMEOUT_S)

    def _begin(self) -> None:
        self._observer.start()
        if self._config is not None:
            handler = _ConfigHandler(self._config, self._queue)
            self._observer.schedule(handler, str(self._config.parent), event_filter=_EVENT_TYPES)
        if self._wishes is not None:
            self._watch_wishes(self._wishes)

    def _watch_wishes(self, folder: Path) -> None:
        try:
            self._observer.schedule(_WishHandler(self._queue), str(folder), event_filter=_EVENT_TYPES)
        except OSError as error:
            log.warning("wishes are taken at each rescan only: %s cannot be watched (%s)", folder, error)

    def _new_observer(self) -> ObserverWithLoss:
        return ObserverWithLoss(lambda: self._queue.put(Signal.RESCAN))

    def _rebuild(self) -> None:
        log.warning("no inotify events arrive; restarting the observer and scanning all watched folders")
        self.stop()
        self._watches = {}
        self._observer = self._new_observer()
        self._begin()
        self._queue.put(Signal.RESCAN)


class _RootHandler(FileSystemEventHandler):
    """Turns events below one root into wake-ups; runs on watchdog's thread, so it does nothing else."""

    def __init__(self, root: Path, queue: LoopQueue) -> None:
        self._root = root
        self._queue = queue

    def on_any_event(self, event: FileSystemEvent) -> None:
        arrived = Path(os.fsdecode(event.dest_path or event.src_path))
        deep = bool(event.is_directory)
        self._queue.put(DirtyFolder(self._root, arrived if deep else arrived.parent, deep))


class _ConfigHandler(FileSystemEventHandler):
    """Requests a reload when the configuration file was written or replaced."""

    def __init__(self, config: Path, queue: LoopQueue) -> None:
        self._name = config.name
        self._queue = queue

    def on_any_event(self, event: FileSystemEvent) -> None:
        names = {Path(os.fsdecode(path)).name for path in (event.src_path, event.dest_path) if path}
        if self._name in names and not isinstance(event, FileCreatedEvent):
            self._queue.put(Signal.RELOAD)


class _WishHandler(FileSystemEventHandler):
    """Announces wishes that were written."""

    def __init__(self, queue: LoopQueue) -> None:
        self._queue = queue

    def on_any_event(self, event: FileSystemEvent) -> None:
        if os.fsdecode(event.dest_path or event.src_path).endswith(".json"):
            self._queue.put(Signal.WISH)


def _identity(root: Path) -> tuple[int, int] | None:
    """Return device and inode of the folder that is at this path now; None if there is none."""
    try:
        stat = root.stat()
    except OSError:
        return None
    return (stat.st_dev, stat.st_ino)
