"""Clips for overlays: a landscape that is half out of focus, clips with a tone, and what ffprobe sees of a clip."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av  # noqa: TID253 (only tests that need the extra `video` import this module)
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ImageFilter

from harness import scenes

Pixels = NDArray[np.uint8]
_SECOND = 48000
TONE = 440
"""The frequency of the tone, in Hz."""


def half_defocused(size: tuple[int, int], count: int, radius: float = 7.0) -> Iterator[Pixels]:
    """Yield frames of this (width, height), panned by 2 px each, whose left half is out of focus."""
    width, height = size
    picture = scenes.picture(scenes.Scene(2, size=(width + 2 * count, height)))
    sharp, soft = np.asarray(picture), np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)))
    for number in range(count):
        columns = slice(2 * number, 2 * number + width)
        frame = sharp[:, columns].copy()
        frame[:, : width // 2] = soft[:, columns][:, : width // 2]
        yield frame


def with_tone(clip: bytes, container: str, codec: str, seconds: float) -> bytes:
    """Return a clip with a tone beside its picture, in another container; `codec` is FFmpeg's name of an encoder."""
    file = io.BytesIO()
    with av.open(io.BytesIO(clip)) as source, av.open(file, "w", format=container) as out:
        picture = out.add_stream_from_template(source.streams.video[0])
        sound = out.add_stream(codec, rate=_SECOND, layout="stereo", options={"strict": "experimental"})
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = picture
                out.mux(packet)
        wave = np.sin(2 * np.pi * TONE * np.arange(round(seconds * _SECOND)) / _SECOND)
        samples = np.repeat((9000 * wave).astype(np.int16), 2)[None]
        for start in range(0, samples.shape[1], 2048):
            frame = av.AudioFrame.from_ndarray(samples[:, start : start + 2048], "s16", "stereo")
            frame.sample_rate, frame.pts = _SECOND, start // 2
            out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    return file.getvalue()


def tone_of(path: Path) -> tuple[float, float]:
    """Return the seconds of the sound of a clip, and its strongest frequency in Hz."""
    with av.open(str(path)) as opened:
        resampler = av.AudioResampler("s16", "mono", _SECOND)
        frames = [part for frame in opened.decode(audio=0) for part in resampler.resample(frame)]
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float64)
    assert np.abs(samples).max() > 1000
    spectrum = np.abs(np.fft.rfft(samples))
    return len(samples) / _SECOND, float(np.argmax(spectrum) * _SECOND / len(samples))


def sound_packets(path: Path) -> list[bytes]:
    """Return the packets of the sound of a clip as they are stored."""
    with av.open(str(path)) as opened:
        return [bytes(packet) for packet in opened.demux(audio=0) if packet.size]


def frames_of(path: Path) -> list[Pixels]:
    """Return the frames of a clip, uint8 RGB (height, width, 3)."""
    with av.open(str(path)) as opened:
        return [frame.to_ndarray(format="rgb24") for frame in opened.decode(video=0)]


@dataclass(frozen=True, slots=True)
class Probed:
    """What ffprobe sees: times of the frames in seconds from the first one, the duration, the size, the rotation."""

    times: list[float]
    seconds: float
    size: tuple[int, int]
    rotation: int
    codecs: list[str]


def probe(path: Path) -> Probed:
    """Return what ffprobe sees of a clip; without that program the test is skipped."""
    if shutil.which("ffprobe") is None:
        pytest.skip("needs ffprobe (Debian package ffmpeg)")
    words = ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", "-show_frames"]
    done = subprocess.run([*words, str(path)], capture_output=True, check=True)
    seen = json.loads(done.stdout)
    picture = next(each for each in seen["streams"] if each["codec_type"] == "video")
    times = [float(each["pts_time"]) for each in seen["frames"] if each["media_type"] == "video"]
    rotation = next((int(each["rotation"]) for each in picture.get("side_data_list", []) if "rotation" in each), 0)
    return Probed(
        [time - times[0] for time in times],
        float(seen["format"]["duration"]),
        (picture["width"], picture["height"]),
        rotation,
        sorted(each["codec_name"] for each in seen["streams"]),
    )
