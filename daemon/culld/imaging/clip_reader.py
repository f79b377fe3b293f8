"""Decode clips; the only reader that imports PyAV, which is an extra: without it a clip is refused with one sentence.

PyAV gets a file object and the name of the container, never a path, by which FFmpeg opens URLs, playlists and others.
"""

from __future__ import annotations

import contextlib
import math
import os
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from culld.errors import PhotoError
from culld.imaging.clip_containers import ClipContainer, container_of, missing_clip_part
from culld.imaging.clip_frames import luma_lines, small_luma, upright
from culld.imaging.clip_transfer import transfer_of
from culld.imaging.image_file import DecodeLimits, UnreadableError
from culld.records.clips import ClipFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

SAMPLES_A_SECOND: Final = 2
LOOK_S: Final = 0.03
"""The least time between frames that are measured: those of every frame of 30 a second, or every second one of 60."""
MOST_PIXELS: Final = 8192 * 4608
"""The largest frame: one of a clip in 8K is decoded with several others held (33 MB each in 4:2:0, and 8 bits)."""
_THREADS: Final = 4  # more only hold more frames
_NO_EXTRA: Final = "clips can only be read with the extra `video` installed: pip install 'culld[video]'"


@dataclass(frozen=True, slots=True)
class ClipFrame:
    """One frame of a clip: upright uint8 RGB `pixels`, `at` seconds after the first one; `pts` counts `time_base`."""

    pts: int
    time_base: Fraction
    at: float
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class ClipLook:
    """One frame of a clip reduced for the measurement of movement, `at` seconds from the start.

    `small` is the luma, uint8 (height, width), not upright, its longer side 160 pixels. `lines` are at most 64 rows of
    the luma in full resolution: noise, which proves that a picture is not frozen, is lost by reduction. `is_key` tells
    key frames. `pixels` is the upright picture, uint8 RGB, of a sample, and None of the frames between.
    """

    at: float
    small: Pixels
    lines: Pixels
    is_key: bool
    pixels: Pixels | None


@dataclass(frozen=True, slots=True)
class Clip:
    """An open clip; each call of a method decodes it from the start, and one iterator runs at a time."""

    facts: ClipFacts
    stream: BinaryIO
    container: ClipContainer
    time_base: Fraction
    limits: DecodeLimits

    def samples(self, longest: int) -> Iterator[tuple[float, Pixels]]:
        """Yield the time in seconds and the upright picture, uint8 RGB, of key frames and of two frames a second.

        The longer side is reduced to `longest` pixels. Raises `UnreadableError` at a frame that cannot be decoded.
        """
        for look in self.looks(longest):
            if look.pixels is not None:
                yield look.at, look.pixels

    def looks(self, longest: int) -> Iterator[ClipLook]:
        """Yield about 30 frames a second, and the picture of those that `samples` yields; raises as it does."""
        due, next_look = 0.0, 0.0
        for frame, _, at in self._decoded():
            is_key = bool(frame.key_frame)
            is_sample = at >= due or is_key
            if not is_sample and at < next_look:
                continue
            if at >= due:
                due = (math.floor(at * SAMPLES_A_SECOND) + 1) / SAMPLES_A_SECOND
            next_look = at + LOOK_S
            pixels = upright(frame, longest, self.facts.rotation) if is_sample else None
            yield ClipLook(at, small_luma(frame), luma_lines(frame), is_key, pixels)

    def frames(self, longest: int | None) -> Iterator[ClipFrame]:
        """Yield every frame in the order of time, its longer side reduced to `longest` pixels; raises as `samples`."""
        for frame, pts, at in self._decoded():
            yield ClipFrame(pts, self.time_base, at, upright(frame, longest, self.facts.rotation))

    def _decoded(self) -> Iterator[tuple[Any, int, float]]:
        """Yield the frames of FFmpeg, their times in units of `time_base`, and in seconds from the first one."""
        with opened_container(self.stream, self.container) as opened:
            first: int | None = None
            for frame, pts in _frames_of(opened, self.container, self.limits):
                first = pts if first is None else first
                yield frame, pts, float((pts - first) * self.time_base)


@contextlib.contextmanager
def open_clip(stream: BinaryIO, limits: DecodeLimits) -> Iterator[Clip]:
    """Open the clip in a seekable stream and decode its first frames.

    Raises `UnreadableError` if it is empty, damaged, not complete, not a clip, without a picture, or a single frame,
    and PhotoError without the extra `video`.
    """
    container = _checked(stream)
    with opened_container(stream, container) as opened:
        facts, time_base = _facts(opened, stream, container, limits)
    yield Clip(facts, stream, container, time_base, limits)


def _checked(stream: BinaryIO) -> ClipContainer:
    if stream.seek(0, os.SEEK_END) == 0:
        raise UnreadableError("empty: the clip has 0 bytes")
    container = container_of(stream)
    if container is None:
        raise UnreadableError("not a clip of a format that culld reads (MP4, MOV, WebM, Matroska, MTS, AVI)")
    if missing := missing_clip_part(stream, container):
        raise UnreadableError(f"not complete: the clip lacks {missing}; copy it again if nothing writes it any more")
    return container


@contextlib.contextmanager
def opened_container(stream: BinaryIO, container: ClipContainer) -> Iterator[Any]:
    """Open the stream with FFmpeg as this container; its errors are raised as `UnreadableError`."""
    try:
        import av  # an extra
    except ImportError as error:  # or without its libraries
        raise PhotoError(_NO_EXTRA) from error
    stream.seek(0)
    try:
        with av.open(stream, format=container.value, metadata_errors="replace", io_open=_refuse) as opened:
            yield opened
    except MemoryError as error:
        raise UnreadableError("too large to decode within limits.memory") from error
    except (av.FFmpegError, *_DECODE_ERRORS) as error:
        raise UnreadableError(f"damaged: the clip cannot be decoded ({_words(error)})") from error


# The exceptions besides FFmpeg's that PyAV raised on damaged files, and those of `imaging.image_file` that it could.
_DECODE_ERRORS: Final = (OSError, ValueError, OverflowError, LookupError, TypeError, ZeroDivisionError, RuntimeError)


def _refuse(*_: object) -> BinaryIO:
    raise OSError("a clip may not name other files")


def _words(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _picture(opened: Any) -> Any:
    """Return the stream of the picture; raises `UnreadableError` if there is none."""
    for stream in opened.streams.video:
        if not _is_cover(stream):
            return stream
    what = "only sound" if opened.streams.audio else "no picture"
    raise UnreadableError(f"not a clip: the file holds {what}")


def _ready(picture: Any, limits: DecodeLimits) -> Any:
    """Return the stream of a picture, ready to decode; raises `UnreadableError` if it is too large."""
    context = picture.codec_context
    if context is None or not context.width or not context.height:
        raise UnreadableError("damaged: the size of the picture cannot be read")
    most = min(limits.pixels, MOST_PIXELS)
    if context.width * context.height > most:
        raise UnreadableError(f"frames of {context.width}x{context.height} pixels are more than the limit of {most}")
    context.options = {"max_pixels": str(most)}  # the frames may be larger than the container says
    context.thread_count = min(_THREADS, len(os.sched_getaffinity(0)))
    context.thread_type = "AUTO"
    return picture


def _is_cover(stream: Any) -> bool:
    """Return whether a stream is the picture of an album in a file of sound."""
    return bool(stream.disposition & type(stream.disposition).attached_pic)


def _frames_of(opened: Any, container: ClipContainer, limits: DecodeLimits) -> Iterator[tuple[Any, int]]:
    """Yield the frames with their times, in order; those without a time, or with an earlier one, are left out.

    An AVI gives a rate and no times, so there the frames are counted: FFmpeg guesses wrong times for B-frames.
    """
    last: int | None = None
    for number, frame in enumerate(opened.decode(_ready(_picture(opened), limits))):
        pts = number if container is ClipContainer.AVI else frame.pts
        if pts is not None and (last is None or pts > last):
            last = pts
            yield frame, pts


def _time_base(picture: Any, container: ClipContainer) -> Fraction:
    base = 1 / picture.average_rate if container is ClipContainer.AVI and picture.average_rate else picture.time_base
    return Fraction(base.numerator, base.denominator)


def _facts(opened: Any, stream: BinaryIO, container: ClipContainer, limits: DecodeLimits) -> tuple[ClipFacts, Fraction]:
    """Return the facts, and the time base of the frames; raises `UnreadableError` without two frames."""
    frames = _frames_of(opened, container, limits)
    first, second = (found[0] if (found := next(frames, None)) else None for _ in range(2))
    if first is None:
        raise UnreadableError("damaged: the clip holds no frame that can be decoded")
    if second is None:
        raise UnreadableError("not a clip: the file holds a single frame")
    picture = _picture(opened)
    rotation = -first.rotation % 360
    width, height = (first.height, first.width) if rotation % 180 else (first.width, first.height)
    seconds = _seconds(opened, picture)
    rate = float(picture.average_rate or picture.guessed_rate or 1 / (second.time - first.time))
    transfer = transfer_of(int(first.color_trc), [dict(opened.metadata), dict(picture.metadata)], stream)
    codec = picture.codec_context.name
    has_audio = bool(opened.streams.audio)
    facts = ClipFacts(width, height, seconds, picture.frames or None, rate, rotation, codec, transfer, has_audio)
    return facts, _time_base(picture, container)


def _seconds(opened: Any, picture: Any) -> float:
    if picture.duration is not None:
        return float(picture.duration * picture.time_base)
    if opened.duration is not None:
        return float(opened.duration / 1e6)  # AV_TIME_BASE
    return _seconds_of_packets(opened, picture)


def _seconds_of_packets(opened: Any, picture: Any) -> float:
    """Return the duration that the packets give, without decoding: the file itself does not give one."""
    opened.seek(0)
    end = 0
    start: int | None = None
    for packet in opened.demux(picture):
        if packet.pts is not None:
            start = packet.pts if start is None else min(start, packet.pts)
            end = max(end, packet.pts + (packet.duration or 0))
    return float((end - (start or 0)) * picture.time_base)
