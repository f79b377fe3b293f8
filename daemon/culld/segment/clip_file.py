"""The overlay of a clip as a file: the drawn frames at their times, with the sound of the clip."""

from __future__ import annotations

import contextlib
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

    A frame is shown until the next one, and the last one until the end of the clip.
    """
    ticks, last = 1, None
    for frame in clip.frames(None):
        if last is not None:
            ticks = frame.pts - last.pts
            yield ShownFrame(last, ticks)
        last = frame
    if last is not None:
        left = round((clip.facts.seconds - last.at) / last.time_base)
        yield ShownFrame(last, left if left > 0 else ticks)


class OverlayFile:
    """Encodes the overlay of one clip; not to be shared between threads.

    Its methods are generators, and pause often: a caller that stops in between has waited for no more than a frame.
    """

    def __init__(self, first: ClipFrame, sound: ClipSound, writer: ClipWriter) -> None:
        """Take what `open_overlay` has opened."""
        self._size = first.pixels.shape[1], first.pixels.shape[0]
        self._overlay = ClipOverlay(self._size)
        self._sound = sound
        self._writer = writer

    def add(self, shown: ShownFrame, found: Segmentation) -> Iterator[None]:
        """Draw and write a frame with its masks, and the sound up to then."""
        frame = shown.frame
        pixels = self._overlay.drawn(self._fitted(frame.pixels), found)
        self._writer.write(pixels, frame.pts - round(self._sound.origin / frame.time_base), shown.ticks)
        yield
        while self._sound.advance(frame.pts * frame.time_base):
            yield

    def finish(self) -> Iterator[None]:
        """Write the rest of the sound, and the end of the file."""
        while self._sound.advance():
            yield
        self._writer.finish()

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
    with opened_container(stream, clip.container) as source:
        writer = ClipWriter(sink, ClipShape(width, height, first.time_base, rate))
        sound = ClipSound(source, writer.container, first.pts * first.time_base)
        yield OverlayFile(first, sound, writer)
