"""The overlay of a clip as a file: the drawn frames at their times, with the sound of the clip."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
from PIL import Image

from culld.imaging.clip_reader import opened_container
from culld.imaging.clip_sound import ClipSound
from culld.imaging.clip_writer import ClipShape, ClipWriter
from culld.segment.clip_overlay import ClipOverlay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from culld.imaging.clip_reader import Clip, ClipFrame
    from culld.imaging.clip_writer import PieceSink
    from culld.segment.masks import Segmentation

    Pixels = NDArray[np.uint8]

_RATE_PARTS: Final = 1001  # 30000/1001 frames a second


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """A frame of a clip, and for how many units of its time base it is shown."""

    frame: ClipFrame
    ticks: int

    @property
    def seconds(self) -> float:
        """How long it is shown."""
        return float(self.ticks * self.frame.time_base)


def shown_frames(clip: Clip) -> Iterator[ShownFrame]:
    """Yield every frame of a clip in order; raises UnreadableError as `Clip.frames`.

    A frame is shown until the next one, and the last one until the end of the clip; where the file gives an end that
    lies before it, it is shown for the mean time of a frame.
    """
    last = None
    for frame in clip.frames(None):
        if last is not None:
            yield ShownFrame(last, frame.pts - last.pts)
        last = frame
    if last is not None:
        left = clip.facts.seconds - last.at
        yield ShownFrame(last, max(1, round((left if left > 0 else 1 / clip.facts.rate) / last.time_base)))


class OverlayFile:
    """Encodes the overlay of one clip; a thread draws and encodes a frame while the caller segments the next one."""

    def __init__(self, first: ClipFrame, sound: ClipSound, writer: ClipWriter, thread: ThreadPoolExecutor) -> None:
        """Take what `open_overlay` has opened."""
        self._size = first.pixels.shape[1], first.pixels.shape[0]
        self._overlay = ClipOverlay(self._size)
        self._sound = sound
        self._writer = writer
        self._thread = thread
        self._begun: Future[None] | None = None

    def add(self, shown: ShownFrame, found: Segmentation) -> None:
        """Begin to draw and write a frame with its masks, when the one before is done; raises what that one has."""
        self._wait()
        self._begun = self._thread.submit(self._write, shown, found)

    def finish(self) -> Iterator[None]:
        """Write what is left, and the end of the file; pauses often, since the sound may be long."""
        self._wait()
        while self._sound.advance():
            yield
        self._writer.finish()

    def _wait(self) -> None:
        if self._begun is not None:
            self._begun.result()

    def _write(self, shown: ShownFrame, found: Segmentation) -> None:
        frame = shown.frame
        pixels = self._overlay.drawn(self._fitted(frame.pixels), found)
        self._writer.write(pixels, frame.pts - round(self._sound.origin / frame.time_base), shown.ticks)
        while self._sound.advance(frame.pts * frame.time_base):
            pass

    def _fitted(self, pixels: Pixels) -> Pixels:
        """Return a frame in the size of the first one; some cameras change it within a clip."""
        if (pixels.shape[1], pixels.shape[0]) == self._size:
            return pixels
        return np.asarray(Image.fromarray(pixels).resize(self._size))


@contextlib.contextmanager
def open_overlay(clip: Clip, first: ClipFrame, stream: BinaryIO, sink: PieceSink) -> Iterator[OverlayFile]:
    """Begin the overlay of a clip with the size and the time base of its first frame.

    `stream` is the file of the clip opened a second time: the sound is read from it. Raises UnreadableError and
    PhotoError.
    """
    height, width, _ = first.pixels.shape
    rate = Fraction(clip.facts.rate).limit_denominator(_RATE_PARTS)
    with opened_container(stream, clip.container) as source, ThreadPoolExecutor(1, "culld-overlay") as thread:
        writer = ClipWriter(sink, ClipShape(width, height, first.time_base, rate))
        sound = ClipSound(source, writer.container, first.pts * first.time_base)
        yield OverlayFile(first, sound, writer, thread)
