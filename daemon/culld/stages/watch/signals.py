"""What the watcher and the timer may say to the loop: that something should be looked at, never what is there."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Signal(Enum):
    """A mark that concerns no single folder."""

    RESCAN = auto()
    PROBE = auto()
    RELOAD = auto()
    HOUSEKEEPING = auto()
    STOP = auto()


@dataclass(frozen=True, slots=True)
class DirtyFolder:
    """Something happened in this folder; with `deep`, in what lies below it too."""

    root: Path
    folder: Path
    deep: bool = False


Wakeup = Signal | DirtyFolder


class LoopQueue:
    """The queue through which other threads speak to the loop; marks that say the same thing count once."""

    def __init__(self) -> None:
        """Start with nothing marked."""
        self._queue: queue.SimpleQueue[Wakeup] = queue.SimpleQueue()
        self.stop_asked = False

    def put(self, mark: Wakeup) -> None:
        """Leave a mark; safe from any thread and from signal handlers."""
        self.stop_asked = self.stop_asked or mark is Signal.STOP
        self._queue.put(mark)

    def take(self, timeout_s: float | None) -> set[Wakeup]:
        """All marks that are waiting, after waiting up to `timeout_s` seconds for a first one (None: for ever)."""
        marks: set[Wakeup] = set()
        try:
            marks.add(self._queue.get(timeout=timeout_s))
            # Events come in bursts (create, write, close, rename): a breath lets one scan answer them all.
            time.sleep(0 if Signal.STOP in marks else 0.01)
            while True:
                marks.add(self._queue.get_nowait())
        except queue.Empty:
            return marks
