"""Carry the sound of a clip over to another file: Opus and Vorbis as they are, everything else encoded as Opus."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_COPIED: Final = frozenset({"opus", "vorbis"})
"""The codecs of sound that WebM allows."""
_RATE: Final = 48000
_BITS_A_CHANNEL: Final = 64000
_AT_ONCE: Final = 256


class ClipSound:
    """The tracks of sound of a clip; they are read from a container of their own, beside the picture."""

    def __init__(self, source: Any, target: Any, picture_start: Fraction) -> None:
        """Add a track to the container `target` of PyAV for each track of `source` that FFmpeg can decode.

        Others, such as the spatial sound of phones, are left out. `picture_start` is the time of the first frame in
        seconds of the source.
        """
        tracks = [each for each in source.streams.audio if each.codec_context is not None]
        starts = [each.start_time * each.time_base for each in tracks if each.start_time is not None]
        self.origin: Fraction = min([picture_start, *starts])
        """The time of the source, in seconds, that is the start of the target."""
        self._target = target
        self._tracks = {each.index: _track(each, target, self.origin) for each in tracks}
        self._packets: Iterator[Any] = source.demux(tracks) if tracks else iter(())

    def advance(self, until: Fraction | None = None) -> bool:
        """Carry over up to 256 packets, not further than `until` seconds of the source, or its end if that is None.

        Returns whether there are more packets up to then.
        """
        for _ in range(_AT_ONCE):
            packet = next(self._packets, None)
            if packet is None:
                self._finish()
                return False
            if packet.size and packet.pts is not None:
                self._mux(self._tracks[packet.stream_index].carried(packet))
                if until is not None and packet.pts * packet.time_base >= until:
                    return False
        return True

    def _finish(self) -> None:
        for track in self._tracks.values():
            self._mux(track.rest())
        self._tracks = {}

    def _mux(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            self._target.mux(packet)


class _CopiedTrack:
    """A track whose packets go to the target as they are."""

    def __init__(self, source: Any, target: Any, origin: Fraction) -> None:
        self._stream = target.add_stream_from_template(source)
        self._origin = origin

    def carried(self, packet: Any) -> Iterable[Any]:
        """Return the packet for the target."""
        shift = round(self._origin / packet.time_base)
        packet.pts -= shift
        packet.dts = packet.pts if packet.dts is None else packet.dts - shift
        packet.stream = self._stream
        return [packet]

    def rest(self) -> Iterable[Any]:
        """Return nothing: no packet is held back."""
        return []


class _EncodedTrack:
    """A track that is decoded and encoded as Opus, with one channel or two; damaged packets are left out."""

    def __init__(self, source: Any, target: Any, origin: Fraction) -> None:
        mono = source.codec_context.channels == 1
        self._decoder = source.codec_context
        self._stream = target.add_stream("libopus", rate=_RATE, layout="mono" if mono else "stereo")
        self._stream.bit_rate = _BITS_A_CHANNEL * (1 if mono else 2)
        self._origin = origin
        self._end = Fraction(0)

    def carried(self, packet: Any) -> Iterable[Any]:
        """Yield the packets of the target that a packet of the source completes."""
        for frame in self._decoded(packet):
            if frame.pts is not None and frame.time_base:
                frame.pts -= round(self._origin / frame.time_base)
                self._end = frame.pts * frame.time_base + Fraction(frame.samples, frame.sample_rate)
                yield from self._stream.encode(frame)

    def rest(self) -> Iterable[Any]:
        """Yield the packets that complete the track; the last one ends with the sound, not with its frame of 20 ms."""
        yield from self.carried(None)
        for packet in self._stream.encode(None):
            left = round(self._end / packet.time_base) - packet.pts
            packet.duration = max(0, min(packet.duration or left, left))
            yield packet

    def _decoded(self, packet: Any) -> list[Any]:
        import av

        try:
            return list(self._decoder.decode(packet))
        except av.FFmpegError:
            return []


def _track(source: Any, target: Any, origin: Fraction) -> _CopiedTrack | _EncodedTrack:
    kind = _CopiedTrack if source.codec_context.name in _COPIED else _EncodedTrack
    return kind(source, target, origin)
