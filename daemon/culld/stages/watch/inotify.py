"""watchdog's inotify observer, extended to report the events that it loses.

watchdog 7.1 logs an overflow of the kernel's queue and drops the events; it silently skips a folder that cannot be
watched because the limit of watches is reached (both measured). This module uses private parts of watchdog
(`inotify_c`), so pyproject.toml excludes the next major version.
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
"""Long enough: an event arrives within milliseconds, behind a full queue within seconds."""
_PROBE_NAME: Final = Mask(InotifyConstants.IN_OPEN | InotifyConstants.IN_MASK_ADD | InotifyConstants.IN_ONLYDIR)


class ObserverWithLoss(BaseObserver):
    """An observer that calls `on_loss`, on its own thread, whenever events were lost."""

    def __init__(self, on_loss: Callable[[], None]) -> None:
        """Start the reading thread; nothing is watched yet."""
        self._inotify = _Inotify(on_loss)
        self._inotify.start()
        self._probes: dict[Path, _Probe] = {}
        super().__init__(InotifyEmitter, timeout=DEFAULT_OBSERVER_TIMEOUT, inotify_fd=self._inotify)

    def on_thread_stop(self) -> None:
        """End the reading thread as well."""
        super().on_thread_stop()
        self._inotify.stop()
        self._inotify.join(_STOP_TIMEOUT_S)  # a stuck thread must not delay the restart

    @property
    def unwatchable(self) -> int:
        """The number of folders that the system refused to watch."""
        return self._inotify.refused

    def is_whole(self) -> bool:
        """Whether all its threads are alive: the reader, the emitters, and the dispatcher."""
        return self.is_alive() and self._inotify.is_alive() and all(emitter.is_alive() for emitter in self.emitters)

    def probe(self, folder: Path, now: float) -> None:
        """Cause an event at the monotonic second `now` by opening `folder`, culld's own folder in a watched root.

        Unlike the cookie files of Watchman it writes nothing, so that it does not wake a sleeping disk.
        """
        before = self._probes.get(folder)
        if before is not None:
            if not before.received:
                return
            self._inotify.remove_callbacks([(before.watch, before.id)])
            del self._probes[folder]
        with contextlib.suppress(OSError):  # no such folder, or the limit of watches is reached: no event is expected
            self._probes[folder] = self._inotify.listen(folder, now)
            os.close(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW))

    def probe_overdue(self, now: float) -> bool:
        """Whether the event of a probe has not arrived within `_PROBE_TIMEOUT_S`."""
        return any(not probe.received and now - probe.at > _PROBE_TIMEOUT_S for probe in self._probes.values())


class _Probe:
    """An event that was caused, and whether it has arrived; a `WatchCallback`."""

    def __init__(self, at: float) -> None:
        self.at = at
        self.received = False
        self.id = cast("CallbackId", id(self))
        self.watch: WatchDescriptor

    def on_event(self, event: InotifyEvent) -> None:
        self.received = self.received or event.is_open

    def on_watch_deleted(self, _wd: WatchDescriptor) -> None:
        self.received = True  # the folder is gone, so no event will arrive

    def on_queue_overflow(self) -> None:
        self.received = True  # the event may be among the lost ones; a scan follows anyway


class _Inotify(InotifyFD):
    def __init__(self, on_loss: Callable[[], None]) -> None:
        super().__init__()
        self.refused = 0
        self._on_loss = on_loss

    def handle_event(self, event: InotifyEvent) -> None:
        super().handle_event(event)
        if event.is_queue_overflow:
            log.warning("inotify events were lost (the kernel's queue was full); scanning all watched folders")
            self._on_loss()

    def add_callback(self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId) -> WatchDescriptor:
        try:
            return super().add_callback(path, mask, callback, id_)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                self._note_unwatchable()
            raise

    def listen(self, folder: Path, now: float) -> _Probe:
        probe = _Probe(now)
        probe.watch = super().add_callback(os.fsencode(folder), _PROBE_NAME, probe, probe.id)
        return probe

    def _note_unwatchable(self) -> None:
        if not self.refused:
            log.warning("the limit of inotify watches is reached; a timer scans the other folders, see `culld doctor`")
        self.refused += 1
