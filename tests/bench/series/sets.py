"""Drops of photos with one series among unrelated photos, and drops of unrelated photos, made from photographs.

Every drop is made from the seed of its scene, so that it is the same in each run.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image

from bench.series import pictures
from bench.series.pictures import Pixels, Plane, Window
from culld.records import Camera, Exposure

_NOON = datetime(2024, 5, 5, 12, tzinfo=UTC)
_SPEEDS = (
    *(1 / n for n in (8000, 6400, 5000, 4000, 3200, 2500, 2000, 1600, 1250, 1000, 800, 640, 500, 400, 320, 250, 200)),
    *(1 / n for n in (160, 125, 100, 80, 60, 50, 40, 30, 25, 20, 15, 13, 10, 8, 6, 5, 4)),
    *(0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.3, 1.6, 2, 2.5, 3.2, 4, 5, 6, 8, 10, 13, 15, 20, 25, 30),
)
"""The exposure times that cameras show, in third stops."""
_MODELS = ("Canon EOS 5D", "NIKON D3300", "DSC-RX100", "DMC-GX7", "X-T3", "PENTAX K-5", "E-M5", "ILCE-7")


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded photo and its camera facts; `series` is whether it belongs to the series of its drop.

    `soft` is whether it was put out of focus as a whole.
    """

    pixels: Pixels
    camera: Camera
    series: bool
    soft: bool = False


@dataclass(slots=True)
class Drop:
    """The photos of one folder in the order of time; `kind` names the series, `source` the photographs."""

    kind: str
    source: str
    scene: str
    frames: list[Frame] = field(default_factory=list)


@dataclass
class Shooter:
    """A photographer with one camera, whose clock runs on from shot to shot; `whole` clocks record no fractions."""

    rng: np.random.Generator
    second: float = 0.0
    whole: bool = True
    camera: Camera = field(default_factory=Camera)

    @classmethod
    def of(cls, rng: np.random.Generator) -> Shooter:
        """Return a photographer with a random camera and random settings."""
        exposure = Exposure(
            _SPEEDS[int(rng.integers(8, 34))],
            float(rng.choice([2.8, 4.0, 5.6, 8.0, 11.0])),
            int(rng.choice([100, 200, 400, 800])),
            0.0,
        )
        if rng.random() < 0.1:  # a lens without contacts
            exposure = replace(exposure, aperture=None)
        camera = Camera(
            str(rng.choice(_MODELS)), _NOON, exposure=exposure, focal_mm=float(rng.choice([18.0, 24.0, 35.0, 50.0]))
        )
        return cls(rng, whole=bool(rng.random() < 0.7), camera=camera)

    def shoot(self, image: Image.Image, gap: float, *, series: bool, time_s: float | None = None) -> Frame:
        """Return a photo that begins `gap` seconds after the end of the one before."""
        self.second += gap
        exposure = self.camera.exposure if time_s is None else replace(self.camera.exposure, time_s=time_s)
        moment = _NOON + timedelta(seconds=math.floor(self.second) if self.whole else round(self.second, 2))
        self.second += exposure.time_s or 0.0
        frame = pictures.as_stored(image, int(self.rng.integers(82, 97)))
        return Frame(frame, replace(self.camera, taken_at=moment, exposure=exposure), series)


def nominal(seconds: float) -> float:
    """Return the exposure time that a camera shows for a real one."""
    return min(_SPEEDS, key=lambda speed: abs(math.log2(speed / seconds)))


def rng_of(kind: str, scene: str) -> np.random.Generator:
    """Return the random numbers of a drop."""
    return np.random.default_rng(zlib.crc32(f"{kind}/{scene}".encode()))


Maker = Callable[[Image.Image, Shooter], Iterator[Frame]]


def drop_of(kind: str, scene: Path, others: Sequence[Path], make: Maker) -> Drop:
    """Return a drop with one series, an unrelated photo of the same source before it, and one after it."""
    rng = rng_of(kind, scene.name)
    shooter = Shooter.of(rng)
    found = Drop(kind, scene.parent.name, scene.name)
    before, after = (others[int(n)] for n in rng.integers(0, len(others), 2))
    found.frames.append(shooter.shoot(pictures.opened(before), 0, series=False))
    shooter.second += float(rng.uniform(2, 60))
    found.frames += make(pictures.opened(scene), shooter)
    if rng.random() < 0.5:
        found.frames.append(shooter.shoot(pictures.opened(after), float(rng.uniform(2, 60)), series=False))
    return found


def hand_bracket(photo: Image.Image, shooter: Shooter) -> Iterator[Frame]:
    """Yield a bracket by hand: only the exposure time changes, by half or whole stops, 2 to 45 s apart."""
    rng = shooter.rng
    stops = _stops(rng)
    slow = float(rng.uniform(2, 20))
    yield from _bracket(photo, shooter, stops, lambda: float(rng.uniform(0.5, 1.5)) * slow + float(rng.uniform(0, 15)))


def auto_bracket(photo: Image.Image, shooter: Shooter) -> Iterator[Frame]:
    """Yield a bracket by the camera, in quick succession, which only some cameras note in the file."""
    rng = shooter.rng
    step, count = float(rng.choice([0.667, 1.0, 2.0])), int(rng.choice([3, 5, 7]))
    count = count if step < 2 else min(count, 5)
    half = count // 2
    order = sorted(range(-half, half + 1), key=lambda n: (abs(n), n)) if rng.random() < 0.6 else range(-half, half + 1)
    stops = [n * step for n in order]
    told = rng.random() < 0.5
    for frame in _bracket(photo, shooter, stops, lambda: float(rng.uniform(0.1, 0.5))):
        yield replace(frame, camera=replace(frame.camera, auto_bracket=bool(told)))


def _stops(rng: np.random.Generator) -> list[float]:
    """Return the exposures of a bracket by hand relative to the photograph, in the order of time."""
    while True:
        count = int(rng.integers(3, 10))
        step = float(rng.choice([0.5, 1.0, 2.0], p=[0.3, 0.5, 0.2]))
        steps = np.full(count - 1, step)
        if rng.random() < 0.25:
            steps = rng.choice([0.5, 1.0, 1.5, 2.0, 3.0], count - 1)
        span = float(steps.sum())
        if span <= 8:
            first = float(rng.uniform(max(-4.0, -span), min(0.0, 4.0 - span)))
            found = [first + float(steps[:n].sum()) for n in range(count)]
            if rng.random() < 0.15:  # the middle one first
                return sorted(found, key=abs)
            return found if rng.random() < 0.5 else found[::-1]


def _bracket(photo: Image.Image, shooter: Shooter, stops: Sequence[float], gap: Callable[[], float]) -> Iterator[Frame]:
    rng = shooter.rng
    photo = pictures.padded(photo, 0.03)
    hand = 0.0 if rng.random() < 0.5 else float(rng.uniform(0.002, 0.02))
    headroom = float(rng.uniform(0.5, 3.0))
    base = shooter.camera.exposure.time_s or 0.01
    base = min(max(base, _SPEEDS[0] * 20), 1.5)
    shaken = float(rng.uniform(4, 9)) if rng.random() < 0.3 else 0.0  # the longest exposures
    for stop in stops:
        x, y = rng.normal(0, hand, 2) if hand else (0.0, 0.0)
        window = Window(0.5 + float(x), 0.5 + float(y), 0.94, 0.94, float(rng.normal(0, 25 * hand)) if hand else 0.0)
        image = pictures.exposed(window.of(photo), stop, headroom, rng)
        image = pictures.defocused(image, shaken) if shaken and stop > np.median(stops) else image
        yield shooter.shoot(image, gap(), series=True, time_s=nominal(base * 2**stop))


def focus_stack(photo: Image.Image, shooter: Shooter) -> Iterator[Frame]:
    """Yield a focus stack of 3 to 20 frames with uneven gaps; the plane in focus moves from one end to the other."""
    rng = shooter.rng
    photo.thumbnail((640, 640))
    count = int(rng.choice([3, 4, 5, 7, 10, 20]))
    first, last = -float(rng.uniform(0, 0.6)), 1 + float(rng.uniform(0, 0.6))
    planes = list(np.linspace(first, last, count))[:: int(rng.choice([1, -1]))]
    images = pictures.focus_stack(photo, planes, _depth(photo, rng), float(rng.uniform(6, 18)))
    hand, breathing = float(rng.choice([0.0, 0.0015, 0.004])), float(rng.uniform(0, 0.02))
    slow = float(rng.choice([0.2, 1.0, 3.0, 8.0]))
    for plane, image in zip(planes, images, strict=True):
        seen = _breathing(image, breathing * float(plane - planes[0]), hand, rng)
        yield shooter.shoot(seen, float(rng.uniform(0.5, 2.5)) * slow, series=True)


def racked_stack(photo: Image.Image, shooter: Shooter) -> Iterator[Frame]:
    """Yield a focus stack of 3 to 30 frames racked by hand: the ring goes forth and back, 0.3 to 20 s apart."""
    rng = shooter.rng
    photo.thumbnail((640, 640))
    count = int(rng.choice([3, 4, 6, 8, 12, 18, 30]))
    turns = int(rng.integers(1, 2 + count // 4))
    places = rng.uniform(-0.5, 1.5, turns + 1)
    planes = [float(each) for each in np.interp(np.linspace(0, turns, count), np.arange(turns + 1), places)]
    planes = [plane + float(rng.normal(0, 0.06)) for plane in planes]
    images = pictures.focus_stack(photo, planes, _depth(photo, rng), float(rng.uniform(6, 18)))
    hand, breathing = float(rng.choice([0.0, 0.0015, 0.004])), float(rng.uniform(0, 0.02))
    slow = float(rng.choice([0.6, 1.5, 4.0, 10.0]))
    for plane, image in zip(planes, images, strict=True):
        seen = _breathing(image, breathing * (plane - planes[0]), hand, rng)
        yield shooter.shoot(seen, min(20.0, float(rng.lognormal(0, 0.6)) * slow), series=True)


def _breathing(image: Image.Image, by: float, hand: float, rng: np.random.Generator) -> Image.Image:
    """Return a frame of a focus stack, narrower by this share; the camera moves by `hand` of the picture."""
    x, y = rng.normal(0, hand, 2)
    return Window(0.5 + float(x), 0.5 + float(y), 0.97 - by, 0.97 - by).of(image)


def _depth(photo: Image.Image, rng: np.random.Generator) -> Plane:
    """Return a depth map, 0..1: a tilted plane with hills."""
    coarse = Image.fromarray(rng.random((4, 5), dtype=np.float32))
    hills = np.asarray(coarse.resize(photo.size, Image.Resampling.BICUBIC))
    rows, columns = np.indices((photo.height, photo.width), dtype=np.float32)
    turn = float(rng.uniform(0, 2 * math.pi))
    depth = math.cos(turn) * columns / photo.width + math.sin(turn) * rows / photo.height + 0.5 * hills
    return ((depth - depth.min()) / np.ptp(depth)).astype(np.float32)


def panorama(photo: Image.Image, shooter: Shooter) -> Iterator[Frame]:
    """Yield a panorama from a large photograph, one way or the other, across, down or in rows, from hand or tripod."""
    yield from _panorama(photo, shooter, float(shooter.rng.uniform(0.2, 0.5)), returns=False)


def thin_panorama(photo: Image.Image, shooter: Shooter) -> Iterator[Frame]:
    """Yield a panorama whose shots overlap by 15 to 30 %; half of those in rows begin each row at the same side."""
    yield from _panorama(
        photo, shooter, float(shooter.rng.uniform(0.15, 0.3)), returns=bool(shooter.rng.random() < 0.5)
    )


def _panorama(photo: Image.Image, shooter: Shooter, overlap: float, *, returns: bool) -> Iterator[Frame]:
    rng = shooter.rng
    way = str(rng.choice(["across", "down", "rows"]))
    hand = 0.0 if rng.random() < 0.4 else float(rng.uniform(0.003, 0.02))
    size = float(rng.uniform(0.25, 0.4))
    photo = pictures.padded(photo, 0.05)
    across = _stations(size, overlap) if way != "down" else [0.5]
    down = _stations(size, overlap) if way != "across" else [0.5]
    if way == "rows":
        across, down = across[:4], down[:3]
    stations = [(x, y) for n, y in enumerate(down) for x in (across if returns or n % 2 == 0 else across[::-1])]
    steady, slow = rng.random() < 0.5, float(rng.uniform(1, 6))
    base = shooter.camera.exposure.time_s or 0.01
    for x, y in stations[:: int(rng.choice([1, -1]))]:
        dx, dy = rng.normal(0, hand, 2)
        window = Window(x + float(dx), y + float(dy), size, size, float(rng.normal(0, 40 * hand)))
        stop = 0.0 if steady else float(rng.normal(0, 0.4))
        image = pictures.exposed(window.of(photo), stop, 0.0, rng) if stop else window.of(photo)
        time_s = None if steady else nominal(base * 2**stop)
        yield shooter.shoot(image, float(rng.uniform(0.5, 1.5)) * slow, series=True, time_s=time_s)


def _stations(size: float, overlap: float) -> list[float]:
    step = size * (1 - overlap)
    count = 1 + int((1 - size) / step)
    return [size / 2 + n * step for n in range(count)]


def burst(photo: Image.Image, shooter: Shooter) -> Iterator[Frame]:
    """Yield a burst with a moving camera and a moving object; in some some frames are out of focus, in some all."""
    photo, patch = _with_object(photo, shooter.rng)
    dx, dy = shooter.rng.normal(0, 0.012, 2)
    yield from _burst(photo, patch, shooter, _Path(0.8, 0.5, float(dx), float(dy)))


def panned_burst(photo: Image.Image, shooter: Shooter) -> Iterator[Frame]:
    """Yield a burst from a camera that follows an object by 3 to 6 % of the frame from shot to shot."""
    photo, patch = _with_object(photo, shooter.rng)
    size, way = 0.6, float(shooter.rng.choice([1, -1]))
    step = size * float(shooter.rng.uniform(0.03, 0.06))
    yield from _burst(photo, patch, shooter, _Path(size, 0.5 - way * (0.48 - size / 2), way * step, 0.0))


@dataclass(frozen=True, slots=True)
class _Path:
    """The frames of a burst: their size and the first place as shares of the photograph, the step between them."""

    size: float
    first: float
    right: float
    down: float


def _with_object(photo: Image.Image, rng: np.random.Generator) -> tuple[Image.Image, Image.Image]:
    photo = pictures.padded(photo, 0.1)
    return photo, Window(float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.3, 0.7)), 0.25, 0.25).of(photo)


def _burst(photo: Image.Image, patch: Image.Image, shooter: Shooter, path: _Path) -> Iterator[Frame]:
    rng, size, room = shooter.rng, path.size, 0.48 - path.size / 2
    x, y = path.first, 0.5
    px, (pdx, py) = float(rng.uniform(0.2, 0.8)), rng.uniform(0.1, 0.6, 2)
    share, bad = float(rng.uniform(0.1, 0.35)), float(rng.choice([0.0, 0.4, 1.0]))
    for _ in range(int(rng.integers(3, 12))):
        place = (min(max(each, 0.5 - room), 0.5 + room) for each in (x, y))
        window = Window(*place, size, size, float(rng.normal(0, 0.5)))
        image = pictures.pasted(window.of(photo), patch, px % 1, float(py), share)
        soft = bool(rng.random() < bad)
        image = pictures.defocused(image, float(rng.uniform(5, 9))) if soft else image
        yield replace(shooter.shoot(image, float(rng.uniform(0.1, 0.8)), series=True), soft=soft)
        x, y, px = x + path.right, y + path.down, px + float(pdx) / 6


def retakes(photo: Image.Image, shooter: Shooter) -> Iterator[Frame]:
    """Yield two to four photos of one view from hand, 4 to 25 s apart, under automatic exposure; one is out of focus.

    This is no series.
    """
    rng = shooter.rng
    photo = pictures.padded(photo, 0.1)
    count, base = int(rng.integers(2, 5)), shooter.camera.exposure.time_s or 0.01
    worst, hand, slow = int(rng.integers(0, count)), float(rng.uniform(0.01, 0.05)), float(rng.uniform(4, 25))
    for number in range(count):
        x, y = rng.normal(0, hand, 2).clip(-0.09, 0.09)
        image = Window(0.5 + float(x), 0.5 + float(y), 0.8, 0.8, float(rng.normal(0, 1))).of(photo)
        image = pictures.defocused(image, float(rng.uniform(5, 9))) if number == worst else image
        time_s = nominal(base * 2 ** float(rng.normal(0, 0.25)))
        yield shooter.shoot(image, slow * float(rng.uniform(0.7, 1.4)), series=False, time_s=time_s)


LENGTH = 9


def unrelated(paths: Sequence[Path], kind: str) -> Iterator[Drop]:
    """Yield drops of unrelated photos of one source, 2 to 60 s apart; about a third of the photos is out of focus.

    A third of the drops is taken at one manual setting, a third with the aperture and the ISO fixed, a third with all
    settings automatic.
    """
    for begin in range(0, len(paths) - 2, LENGTH):
        some = paths[begin : begin + LENGTH]
        rng = rng_of(kind, some[0].name)
        shooter, mode, slow = Shooter.of(rng), int(rng.integers(0, 3)), float(rng.choice([2, 4, 15, 40]))
        found = Drop(kind, some[0].parent.name, some[0].name)
        base = shooter.camera.exposure
        for path in some:
            image = pictures.opened(path)
            if rng.random() < 0.35:
                image = pictures.defocused(image, float(rng.uniform(5, 10)))
            light = float(rng.normal(0, 1.2)) if mode else 0.0
            time_s = nominal((base.time_s or 0.01) * 2**light)
            if mode == 2:
                shooter.camera = replace(
                    shooter.camera,
                    focal_mm=float(rng.choice([18.0, 35.0])),
                    exposure=replace(base, iso=int(rng.choice([100, 200, 400]))),
                )
            found.frames.append(
                shooter.shoot(image, max(2.0, float(rng.uniform(0.5, 1.5)) * slow), series=False, time_s=time_s)
            )
        yield found
