"""Clips by a camera model: a still picture that is panned, shaken, defocused, exposed, and encoded by PyAV."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av  # noqa: TID253 (only tests that need the extra `video` import this module)
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]
_SPARE = 64  # every frame gets another cut of one field of noise, which is cheaper than new noise


@dataclass(frozen=True, slots=True)
class Shot:
    """How a picture is filmed.

    `size` is the (width, height) of the frames. In shares of their diagonal, `pan` is the speed of the camera in a
    second, `shake` the root mean square of its tremor, `defocus` the radius of the circle of confusion. `stops` is the
    exposure in EV, `noise` the deviation of the noise in levels, `shutter` the share of the time between frames for
    which the shutter is open.
    """

    seconds: float = 4.0
    rate: int = 30
    size: tuple[int, int] = (640, 360)
    pan: float = 0.03
    shake: float = 0.0006
    defocus: float = 0.0
    stops: float = 0.0
    noise: float = 2.0
    shutter: float = 0.5
    seed: int = 1


def frames(picture: Pixels, shot: Shot) -> Iterator[Pixels]:
    """Yield the frames of a shot of this picture, uint8 RGB (height, width, 3)."""
    rng = np.random.default_rng(shot.seed)
    canvas = Image.fromarray(_lit(_defocused(_canvas(picture, shot), shot), shot.stops))
    width, height = shot.size
    rooms = canvas.width - width, canvas.height - height
    paths = [_path(shot, rng, room) for room in rooms]
    opened = np.linspace(0, shot.shutter / shot.rate, 3)
    field = shot.noise * rng.standard_normal((height + _SPARE, width + _SPARE, 3), np.float32)
    for number in range(round(shot.seconds * shot.rate)):
        moments = number / shot.rate + opened
        held = [_view(canvas, shot.size, [float(path(at)) for path in paths]) for at in moments]
        top, left = rng.integers(_SPARE, size=2)
        grain = field[top : top + height, left : left + width]
        yield np.clip(sum(held) / len(held) + grain, 0, 255).astype(np.uint8)


def _canvas(picture: Pixels, shot: Shot) -> Image.Image:
    """Return the picture so large that the frame can move in it by a fifth of each side at least."""
    image = Image.fromarray(picture)
    scale = max(1.3 * side / had for side, had in zip(shot.size, image.size, strict=True))
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BOX, reducing_gap=2)


def _defocused(image: Image.Image, shot: Shot) -> Image.Image:
    radius = shot.defocus * math.hypot(*shot.size)
    return image.filter(ImageFilter.GaussianBlur(radius / 1.6)) if radius else image


def _lit(image: Image.Image, stops: float) -> Pixels:
    """Return the picture at another exposure, scaled in linear light (sRGB)."""
    level = np.arange(256) / 255
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4) * 2.0**stops
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)
    return np.clip(255 * encoded, 0, 255).round().astype(np.uint8)[np.asarray(image.convert("RGB"))]


@dataclass(frozen=True, slots=True)
class _Path:
    """The position of the camera along one axis in pixels: there and back in its room, and waves of tremor."""

    room: float
    start: float
    speed: float
    waves: tuple[tuple[float, float, float], ...]

    def __call__(self, at: float) -> float:
        tremor = sum(high * math.sin(2 * math.pi * often * at + phase) for high, often, phase in self.waves)
        turn = self.start + self.speed * at / (0.4 * self.room)  # it slows down before it turns around
        return min(max(self.room * (0.5 - 0.4 * math.cos(turn)) + tremor, 0.0), self.room)


def _path(shot: Shot, rng: np.random.Generator, room: float) -> _Path:
    diagonal = math.hypot(*shot.size)
    often = rng.uniform(1.5, 9.0, 6)
    high = 1 / often
    high *= shot.shake * diagonal / math.sqrt((high**2).sum())  # both axes together: sqrt(2) * sqrt(1/2)
    phases = rng.uniform(0, 2 * math.pi, 6)
    speed = shot.pan * diagonal / math.sqrt(2)
    return _Path(room, float(rng.uniform(0, 2)), speed, tuple(zip(high, often, phases, strict=True)))


def _view(canvas: Image.Image, size: tuple[int, int], at: list[float]) -> NDArray[np.float32]:
    moved = canvas.transform(size, Image.Transform.AFFINE, (1, 0, at[0], 0, 1, at[1]), Image.Resampling.BICUBIC)
    return np.asarray(moved, np.float32)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How frames are written: FFmpeg's names, the `rotation` of the display matrix in degrees clockwise.

    `times` are the times of the frames in thousandths of a second; without them they come at `rate`.
    """

    container: str = "mp4"
    codec: str = "libx264"
    rate: int = 30
    rotation: int = 0
    pixel_format: str = "yuv420p"
    transfer: int = 1
    options: dict[str, str] = field(default_factory=lambda: {"crf": "20", "preset": "veryfast"})
    times: tuple[int, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    sound: bool = False
    container_options: dict[str, str] = field(default_factory=dict)


def encode(pictures: Iterable[Pixels], encoding: Encoding | None = None) -> bytes:
    """Return the bytes of a clip."""
    encoding = encoding or Encoding()
    file = io.BytesIO()
    options = {"movflags": "use_metadata_tags"} if encoding.container in {"mp4", "mov"} else {}
    options |= encoding.container_options
    with av.open(file, "w", format=encoding.container, options=options) as out:
        out.metadata.update(encoding.metadata)
        stream = None
        sound = out.add_stream("aac", rate=48000) if encoding.sound else None
        for number, pixels in enumerate(pictures):
            if stream is None:
                stream = _stream(out, encoding, pixels)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.color_trc = encoding.transfer
            frame.time_base = Fraction(1, 1000) if encoding.times else Fraction(1, encoding.rate)
            frame.pts = encoding.times[number] if encoding.times else number
            out.mux(stream.encode(frame))
        if stream is not None:
            out.mux(stream.encode(None))
        if sound is not None:
            _add_sound(out, sound)
    return file.getvalue()


def sound_only() -> bytes:
    """Return the bytes of an MP4 without a picture."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        _add_sound(out, out.add_stream("aac", rate=48000))
    return file.getvalue()


def _stream(out: av.container.OutputContainer, encoding: Encoding, pixels: Pixels) -> av.VideoStream:
    stream = out.add_stream(encoding.codec, rate=encoding.rate, options=dict(encoding.options))
    stream.height, stream.width = pixels.shape[:2]
    stream.pix_fmt = encoding.pixel_format
    stream.codec_context.color_trc = encoding.transfer
    stream.codec_context.time_base = Fraction(1, 1000) if encoding.times else Fraction(1, encoding.rate)
    if encoding.rotation:
        stream.set_display_rotation(-encoding.rotation)
    return stream


def _add_sound(out: av.container.OutputContainer, sound: av.AudioStream) -> None:
    silence = np.zeros((1, 1024), np.float32)
    for number in range(40):
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 48000, number * 1024
        out.mux(sound.encode(frame))
    out.mux(sound.encode(None))
