"""The queue of wake-ups from the other threads to the loop: each requests work, none holds results."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Signal(Enum):
    """A wake-up that concerns no single folder."""

    RESCAN = auto()
    PROBE = auto()
    RELOAD = auto()
    HOUSEKEEPING = auto()
    WISH = auto()
    STOP = auto()


@dataclass(frozen=True, slots=True)
class DirtyFolder:
    """A folder in which something changed; with `deep`, also in the folders below it."""

    root: Path
    folder: Path
    deep: bool = False


Wakeup = Signal | DirtyFolder


class LoopQueue:
    """The queue through which other threads wake the loop; equal wake-ups count once."""

    def __init__(self) -> None:
        """Start empty."""
        self._queue: queue.SimpleQueue[Wakeup] = queue.SimpleQueue()
        self.stop_asked = False

    def put(self, wakeup: Wakeup) -> None:
        """Add a wake-up; safe from any thread and from signal handlers."""
        self.stop_asked = self.stop_asked or wakeup is Signal.STOP
        self._queue.put(wakeup)

    def take(self, timeout_s: float | None) -> set[Wakeup]:
        """Return all wake-ups, after waiting up to `timeout_s` seconds for the first one (None: for ever)."""
        wakeups: set[Wakeup] = set()
        try:
            wakeups.add(self._queue.get(timeout=timeout_s))
            # Events come in bursts (create, write, close, rename): after a short wait one scan serves them all.
            time.sleep(0 if Signal.STOP in wakeups else 0.01)
            while True:
                wakeups.add(self._queue.get_nowait())
        except queue.Empty:
            return wakeups
