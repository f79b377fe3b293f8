"""Write a clip as VP9 in WebM; PyAV is an extra and is imported when a writer is opened.

FFmpeg writes into memory: a worker process writes no file, but returns the pieces to the process that does.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from culld.errors import PhotoError

if TYPE_CHECKING:
    from fractions import Fraction

    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

SUFFIX: Final = ".webm"
LONGEST_SIDE: Final = 16384
"""The longest side in px that libvpx encodes (VPX_MAX_WIDTH; VP9 itself allows 65,536)."""
_THREADS: Final = 4
_BT709: Final = 1  # the code of the primaries, the transfer and the matrix in H.273
_LIMITED_RANGE: Final = 1  # AVCOL_RANGE_MPEG
_OPTIONS: Final = {
    "deadline": "realtime",
    "cpu-used": "8",
    "row-mt": "1",
    "tile-columns": "2",
    "crf": "48",  # contours that move take most bits: a real clip of 720p came to 12 Mbit/s with 40, to 7 with 50
    "b": "0",  # constant quality
    "lag-in-frames": "0",  # by default 25 frames wait in the encoder: 150 MB of 4K
}
_KEY_FRAMES: Final = 120


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a file, and where in the file they belong."""

    offset: int
    data: bytes


class PieceSink:
    """The file object that FFmpeg writes to; it keeps what was written until it is taken, perhaps by another thread."""

    def __init__(self) -> None:
        """Be an empty file."""
        self._at = 0
        self._end = 0
        self._pieces: list[Piece] = []
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """How many bytes wait to be taken."""
        with self._lock:
            return sum(len(piece.data) for piece in self._pieces)

    def write(self, data: bytes) -> int:
        """Keep a piece at the current place."""
        with self._lock:
            self._pieces.append(Piece(self._at, bytes(data)))
        self._at += len(data)
        self._end = max(self._end, self._at)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, as `io.IOBase.seek`."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        return self._at

    def tell(self) -> int:
        """Return the current place."""
        return self._at

    def take(self) -> tuple[Piece, ...]:
        """Return the pieces that were written since the last call, in order, and drop them."""
        with self._lock:
            pieces, self._pieces = tuple(self._pieces), []
        return pieces


@dataclass(frozen=True, slots=True)
class ClipShape:
    """What the frames of a clip have in common: width and height in px, time base in seconds, mean frames a second."""

    width: int
    height: int
    time_base: Fraction
    rate: Fraction


class ClipWriter:
    """Encodes the frames of one clip; sound is added to `container` before the first frame."""

    def __init__(self, sink: PieceSink, shape: ClipShape) -> None:
        """Begin a file; raises PhotoError if a side is too long for the encoder."""
        import av

        if max(shape.width, shape.height) > LONGEST_SIDE:
            raise PhotoError(
                f"frames of {shape.width}x{shape.height} are too large: VP9 is written up to {LONGEST_SIDE}"
            )
        self._frame_of = av.VideoFrame.from_ndarray
        self._time_base = shape.time_base
        self._durations: dict[int, int] = {}
        self.container: Any = av.open(sink, "w", format="webm")
        self._stream: Any = self.container.add_stream("libvpx-vp9", rate=shape.rate, options=_OPTIONS)
        self._stream.width, self._stream.height, self._stream.pix_fmt = shape.width, shape.height, "yuv420p"
        context = self._stream.codec_context
        context.time_base, context.gop_size = shape.time_base, _KEY_FRAMES
        context.thread_count = min(_THREADS, len(os.sched_getaffinity(0)))
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range = _LIMITED_RANGE

    def write(self, pixels: Pixels, pts: int, duration: int) -> None:
        """Encode a frame, uint8 RGB (height, width, 3), shown from `pts` on for `duration` units of the time base.

        `pts` grows from frame to frame.
        """
        frame = self._frame_of(pixels, "rgb24").reformat(
            format="yuv420p", dst_colorspace=_BT709, dst_color_range=_LIMITED_RANGE
        )
        frame.pts, frame.time_base, frame.pict_type = pts, self._time_base, 0
        self._durations[pts] = duration
        self._mux(frame)

    def finish(self) -> None:
        """Write what is left, then the index and the duration of the file."""
        self._mux(None)
        self.container.close()

    def _mux(self, frame: Any) -> None:
        for packet in self._stream.encode(frame):
            packet.duration = self._durations.pop(packet.pts, 0)  # libvpx gives none, and the last one ends the file
            self.container.mux(packet)
