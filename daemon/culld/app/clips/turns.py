"""Clips in the loop of the daemon: one is read at a time, in a process of its own, while photos go on."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from culld.errors import SystemFaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from culld.app.build import Builder
    from culld.app.clips.pool import ClipPool
    from culld.pipeline import Pipeline
    from culld.records import FileSnapshot, RootedPath
    from culld.stages.watch.intake import InFlight
    from culld.stages.watch.scanner import Scanner

log = logging.getLogger(__name__)

_POLL_S: Final = 0.5
_FAULT_PAUSE_S: Final = 600.0
"""How long no clip is read after the worker process could not be started, in seconds."""


@dataclass(frozen=True, slots=True)
class InFlightFiles:
    """The photos and the clips that have settled and are not recorded yet."""

    photos: InFlight
    clips: InFlight

    def __contains__(self, place: object) -> bool:
        return place in self.photos or place in self.clips

    def __len__(self) -> int:
        return len(self.photos) + len(self.clips)


class ClipTurns:
    """The clips that have settled: each waits for its turn, is read, and then passes the pipeline by itself.

    A clip that belongs to a photo by then is passed over.
    """

    def __init__(self, builder: Builder, pool: ClipPool, scanner: Scanner, pipeline: Pipeline) -> None:
        """Start no process yet; `pipeline` is that of photos, whose stages other than the reader are used."""
        self._builder = builder
        self._pool = pool
        self._scanner = scanner
        self._reader = builder.clip_reader(pool, patient=True)
        self._pipeline = replace(pipeline, stages=replace(pipeline.stages, reader=self._reader))
        self._waiting: dict[RootedPath, FileSnapshot] = {}
        self._current: FileSnapshot | None = None
        self._paused_until = -math.inf

    def __contains__(self, place: object) -> bool:
        return place in self._waiting or (self._current is not None and self._current.place == place)

    def __len__(self) -> int:
        return len(self._waiting) + (self._current is not None)

    @property
    def wait_s(self) -> float:
        """How long the loop may sleep, in seconds."""
        if self._current is not None:
            return _POLL_S
        if self._waiting:
            return max(0.0, self._paused_until - self._builder.clock.monotonic())
        return self._pool.wait_s

    def take(self, settled: Iterable[FileSnapshot]) -> list[FileSnapshot]:
        """Take the clips out of the settled files; return the photos."""
        photos: list[FileSnapshot] = []
        for snapshot in settled:
            if self._builder.is_judged_clip(snapshot.place):
                self._waiting[snapshot.place] = snapshot
            else:
                photos.append(snapshot)
        return photos

    def step(self, process: Callable[[Pipeline, list[FileSnapshot]], object]) -> None:
        """Take the clip that was read through the pipeline by `process`, and begin to read the next one.

        It does not wait for a clip that is being read. Raises StoppedError if a stop is requested before a file is
        changed.
        """
        clip = self._current
        if clip is not None and (fault := self._reader.take_fault([clip])) is not None:
            self._pause(fault, clip)
        elif clip is not None and self._reader.is_read([clip]):
            self._current = None
            if self._is_wanted(clip.place):  # also now: its photo may have arrived, and have been moved with it
                process(self._pipeline, [clip])
        if self._current is None:
            self._begin_next()
        if self._current is None:
            self._pool.rest()

    def close(self) -> None:
        """End the process; the clip that is read is read again at the next start."""
        self._current = None
        self._pool.close()

    def _begin_next(self) -> None:
        while self._waiting and self._builder.clock.monotonic() >= self._paused_until:
            clip = self._waiting.pop(next(iter(self._waiting)))
            if not self._is_wanted(clip.place):
                continue
            try:
                self._reader.begin([clip])
            except SystemFaultError as error:
                self._pause(error, clip)
            else:
                self._current = clip
            return

    def _is_wanted(self, place: RootedPath) -> bool:
        """Whether a clip is there, judged by the policy in force, and no part of a photo that has arrived since."""
        is_there = self._scanner.find(place) is not None
        return is_there and self._builder.is_judged_clip(place) and not self._scanner.is_photos_clip(place)

    def _pause(self, error: Exception, clip: FileSnapshot) -> None:
        log.warning("no clips are read for %.0f s: %s", _FAULT_PAUSE_S, error)
        self._current = None
        self._waiting[clip.place] = clip
        self._pool.close()
        self._paused_until = self._builder.clock.monotonic() + _FAULT_PAUSE_S
