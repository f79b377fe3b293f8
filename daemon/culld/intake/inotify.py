"""watchdog's inotify observer, taught to tell what it loses.

watchdog 7.1 logs an overflow of the kernel's queue and drops the events; a folder that cannot be watched, because the
limit of watches is reached, it passes over without a word (both measured).
"""

from __future__ import annotations

import errno
import logging
from typing import TYPE_CHECKING

from watchdog.observers.api import DEFAULT_OBSERVER_TIMEOUT, BaseObserver
from watchdog.observers.inotify import InotifyEmitter
from watchdog.observers.inotify_c import InotifyFD

if TYPE_CHECKING:
    from collections.abc import Callable

    from watchdog.observers.inotify_c import CallbackId, InotifyEvent, Mask, WatchCallback, WatchDescriptor

log = logging.getLogger(__name__)


class Observer(BaseObserver):
    """An observer that calls `on_loss`, on its own thread, whenever events were lost."""

    def __init__(self, on_loss: Callable[[], None]) -> None:
        """Nothing is watched yet."""
        self._inotify = _Inotify(on_loss)
        self._inotify.start()
        super().__init__(InotifyEmitter, timeout=DEFAULT_OBSERVER_TIMEOUT, inotify_fd=self._inotify)

    def on_thread_stop(self) -> None:
        """End the reading thread as well."""
        super().on_thread_stop()
        self._inotify.stop()
        self._inotify.join()

    @property
    def refused(self) -> int:
        """How many folders the system refused to watch."""
        return self._inotify.refused

    def is_whole(self) -> bool:
        """Whether all its threads are alive: the one that reads, those that sort, the one that hands out."""
        return self.is_alive() and self._inotify.is_alive() and all(emitter.is_alive() for emitter in self.emitters)


class _Inotify(InotifyFD):
    def __init__(self, on_loss: Callable[[], None]) -> None:
        super().__init__()
        self.refused = 0
        self._on_loss = on_loss

    def handle_event(self, event: InotifyEvent) -> None:
        super().handle_event(event)
        if event.is_queue_overflow:
            log.warning("events were lost (the system's queue was full); every watched folder is scanned")
            self._on_loss()

    def add_callback(self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId) -> WatchDescriptor:
        try:
            return super().add_callback(path, mask, callback, id_)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                self._refuse()
            raise

    def _refuse(self) -> None:
        if not self.refused:
            log.warning("the system's limit of watched folders is reached; the timer scans the rest: `culld doctor`")
        self.refused += 1
