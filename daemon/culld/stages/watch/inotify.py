"""watchdog's inotify observer, taught to tell what it loses.

watchdog 7.1 logs an overflow of the kernel's queue and drops the events; a folder that cannot be watched, because the
limit of watches is reached, it passes over without a word (both measured).
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from typing import TYPE_CHECKING, Final, cast

from watchdog.observers.api import DEFAULT_OBSERVER_TIMEOUT, BaseObserver
from watchdog.observers.inotify import InotifyEmitter
from watchdog.observers.inotify_c import CallbackId, InotifyConstants, InotifyFD, Mask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from watchdog.observers.inotify_c import InotifyEvent, WatchCallback, WatchDescriptor

log = logging.getLogger(__name__)

_STOP_TIMEOUT_S: Final = 2.0
_PROBE_TIMEOUT_S: Final = 20.0
"""An event takes milliseconds; behind a full queue it may take seconds."""
_PROBE_NAME: Final = Mask(InotifyConstants.IN_OPEN | InotifyConstants.IN_MASK_ADD | InotifyConstants.IN_ONLYDIR)


class ObserverWithLoss(BaseObserver):
    """An observer that calls `on_loss`, on its own thread, whenever events were lost."""

    def __init__(self, on_loss: Callable[[], None]) -> None:
        """Nothing is watched yet."""
        self._inotify = _Inotify(on_loss)
        self._inotify.start()
        self._knocks: dict[Path, _Probe] = {}
        super().__init__(InotifyEmitter, timeout=DEFAULT_OBSERVER_TIMEOUT, inotify_fd=self._inotify)

    def on_thread_stop(self) -> None:
        """End the reading thread as well."""
        super().on_thread_stop()
        self._inotify.stop()
        self._inotify.join(_STOP_TIMEOUT_S)  # one that is stuck would hold up whoever starts it anew

    @property
    def unwatchable(self) -> int:
        """How many folders the system refused to watch."""
        return self._inotify.refused

    def is_whole(self) -> bool:
        """Whether all its threads are alive: the one that reads, those that sort, the one that hands out."""
        return self.is_alive() and self._inotify.is_alive() and all(emitter.is_alive() for emitter in self.emitters)

    def probe(self, folder: Path, now: float) -> None:
        """Cause an event at the monotonic second `now`, by opening a folder of culld's own that lies in a watched one.

        Unlike the cookie files of Watchman it writes nothing, so that a sleeping disk sleeps on.
        """
        before = self._knocks.get(folder)
        if before is not None:
            if not before.heard:
                return
            self._inotify.remove_callbacks([(before.watch, before.id)])
            del self._knocks[folder]
        with contextlib.suppress(OSError):  # no such folder, or the limit of watches: then nothing is expected either
            self._knocks[folder] = self._inotify.listen(folder, now)
            os.close(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW))

    def probe_overdue(self, now: float) -> bool:
        """Whether the event of a knock has not come, which was long enough ago."""
        return any(not knock.heard and now - knock.at > _PROBE_TIMEOUT_S for knock in self._knocks.values())


class _Probe:
    """An event that was caused, and whether it has come; a `WatchCallback`."""

    def __init__(self, at: float) -> None:
        self.at = at
        self.heard = False
        self.id = cast("CallbackId", id(self))
        self.watch: WatchDescriptor

    def on_event(self, event: InotifyEvent) -> None:
        self.heard = self.heard or event.is_open

    def on_watch_deleted(self, _wd: WatchDescriptor) -> None:
        self.heard = True  # the folder is gone, and with it the event

    def on_queue_overflow(self) -> None:
        self.heard = True  # it may be among the lost ones, which are answered with a scan


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
                self._note_unwatchable()
            raise

    def listen(self, folder: Path, now: float) -> _Probe:
        knock = _Probe(now)
        knock.watch = super().add_callback(os.fsencode(folder), _PROBE_NAME, knock, knock.id)
        return knock

    def _note_unwatchable(self) -> None:
        if not self.refused:
            log.warning("the system's limit of watched folders is reached; the timer scans the rest: `culld doctor`")
        self.refused += 1
