"""The handler in the worker process of `culld segment` for a clip: it decodes, segments, draws and encodes.

It writes no file: the bytes of the overlay are returned in parts, so that it holds little of a clip of any length.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.app.segment_clip_messages import ClipPart, ClipRegions
from culld.errors import PhotoError
from culld.files.open_beneath import open_regular
from culld.imaging.clip_reader import open_clip
from culld.imaging.clip_writer import PieceSink
from culld.imaging.image_file import DecodeLimits
from culld.inference.card import read_card
from culld.inference.litert import silence_stderr
from culld.inference.worker_process import limit_arenas
from culld.segment.clip_file import open_overlay, shown_frames
from culld.segment.clip_overlay import HeldSegmentation
from culld.segment.clip_regions import RegionTimes
from culld.segment.masks import Segmenter
from culld.segment.picture import sentence

if TYPE_CHECKING:
    from collections.abc import Generator

    from culld.app.segment_clip_messages import BeginClip, SegmentClipSettings
    from culld.imaging.clip_reader import Clip

    Steps = Generator[float, None, ClipRegions]

_MOST_THREADS: Final = 4
_PART_BYTES: Final = 4 << 20
_PART_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Tools:
    """What every clip needs: the network and its id, and the limits of a frame."""

    segmenter: Segmenter
    id: str
    limits: DecodeLimits


class SegmentClipWorker:
    """The `SegmentClipHandler` of the worker process; not to be shared between threads."""

    def __init__(self, settings: SegmentClipSettings) -> None:
        """Load the network; raises SystemFaultError if it cannot be used."""
        limit_arenas()
        with silence_stderr():
            segmenter = Segmenter.open(settings.model, min(_MOST_THREADS, len(os.sched_getaffinity(0))))
        self._tools = _Tools(segmenter, read_card(settings.model).id, DecodeLimits(settings.pixels))
        self._steps: Steps | None = None
        self._sink = PieceSink()

    def begin(self, request: BeginClip) -> ClipPart | PhotoError:
        """Open a clip and segment its first frames; a PhotoError is returned, not raised, to reach the caller."""
        self._sink = PieceSink()
        self._steps = _segmented(request, self._tools, self._sink)
        return self.go_on()

    def go_on(self) -> ClipPart | PhotoError:
        """Segment frames for half a second, or until 4 MiB are encoded, and return what was encoded."""
        if self._steps is None:
            return PhotoError("the worker process was started again in the middle of the clip: run the command again")
        try:
            return self._part(self._steps, time.monotonic() + _PART_SECONDS)
        except PhotoError as error:
            return PhotoError(str(error))

    def _part(self, steps: Steps, until: float) -> ClipPart:
        try:
            done = next(steps)
            while time.monotonic() < until and self._sink.held < _PART_BYTES:
                done = next(steps)
        except StopIteration as end:
            self._steps = None
            return ClipPart(self._sink.take(), 1.0, end.value)
        return ClipPart(self._sink.take(), done)


# A function, not a method: a generator that held the handler would be in a cycle with it, and could be closed by the
# collector of garbage in the thread that it waits for.
def _segmented(request: BeginClip, tools: _Tools, sink: PieceSink) -> Steps:
    """Segment a clip, and encode its overlay into the sink; yields the share that is done, returns the regions."""
    with contextlib.ExitStack() as opened:
        clip = opened.enter_context(open_clip(opened.enter_context(open_regular(request.place)), tools.limits))
        times, file, held = RegionTimes(), None, HeldSegmentation(tools.segmenter)
        for shown in shown_frames(clip):
            if request.with_overlay and file is None:
                again = opened.enter_context(open_regular(request.place))
                file = opened.enter_context(open_overlay(clip, shown.frame, again, sink))
            found = held.of(shown.frame)
            times.add(shown.frame.at, shown.seconds, found.shares)
            if file is not None:
                file.add(shown, found)
            yield _done(clip, shown.frame.at)
        for _ in () if file is None else file.finish():
            yield 1.0
        size, shares = (clip.facts.width, clip.facts.height), times.shares
        return ClipRegions(tools.id, *size, times.seconds, times.frames, sentence(shares), shares, times.ranges)


def _done(clip: Clip, at: float) -> float:
    return min(1.0, at / clip.facts.seconds) if clip.facts.seconds > 0 else 0.0
