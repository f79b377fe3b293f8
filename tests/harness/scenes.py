"""Photo-like pictures that we draw ourselves: landscapes with hills, water, trees and houses, and their faults."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Pixels = NDArray[np.float32]

_SKIES = (
    ((58, 92, 150), (230, 190, 160)),
    ((92, 150, 210), (222, 234, 242)),
    ((40, 48, 92), (250, 150, 90)),
    ((120, 140, 160), (206, 212, 214)),
    ((64, 120, 190), (246, 226, 190)),
)
_WALLS = ((232, 226, 214), (176, 72, 58), (206, 160, 92), (150, 168, 176), (222, 206, 176))
_LANDS = ((44, 66, 52), (70, 76, 48), (58, 50, 72), (46, 58, 74), (84, 68, 44))


@dataclass(frozen=True, slots=True)
class Scene:
    """What a picture shows: `seed` chooses the landscape, `fault` spoils it (blur, over, under, or none)."""

    seed: int
    fault: str = ""
    strength: float = 1.0
    shift: float = 0.0
    size: tuple[int, int] = (1500, 1000)


def picture(scene: Scene) -> Image.Image:
    """Return the picture of a scene."""
    rng = np.random.default_rng(scene.seed)
    width, height = scene.size
    horizon = float(rng.uniform(0.5, 0.64))
    image = Image.fromarray(_sky(rng, scene, horizon).astype(np.uint8))
    land = np.array(_LANDS[scene.seed % len(_LANDS)], np.float32)
    _hills(image, rng, land, horizon)
    if rng.random() < 0.55:
        _water(image, rng, horizon)
    else:
        _meadow(image, rng, land, horizon)
    _boats(image, rng, scene, horizon)
    grain = rng.normal(0, 5, (height, width, 1)).astype(np.float32)
    return _spoilt(Image.fromarray(np.clip(np.asarray(image, np.float32) + grain, 0, 255).astype(np.uint8)), scene)


def jpeg(scene: Scene, quality: int = 86) -> bytes:
    """Return the picture of a scene as a JPEG file."""
    buffer = io.BytesIO()
    picture(scene).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _sky(rng: np.random.Generator, scene: Scene, horizon: float) -> Pixels:
    width, height = scene.size
    top, low = (np.array(colour, np.float32) for colour in _SKIES[scene.seed % len(_SKIES)])
    y = np.linspace(0, 1 / horizon, height, dtype=np.float32).clip(0, 1)[:, None, None]
    sky = top + (low - top) * y**1.3
    sun = np.array([rng.uniform(0.15, 0.85), rng.uniform(0.12, 0.4)]) * (width, height)
    yy, xx = np.mgrid[0:height, 0:width]
    far = np.hypot(xx - sun[0], yy - sun[1]) / height
    glow = np.exp(-far * 7)[..., None] * 120 + (far < 0.035)[..., None] * 90
    clouds = sum(
        np.sin(xx / width * k + rng.uniform(0, 6) + 2 * np.sin(yy / height * k * 1.7))
        * np.sin(yy / height * k * 2.6)
        / k
        for k in (7, 13, 23, 41)
    )
    return np.clip(sky + glow + (np.clip(clouds, 0, 1) * 260)[..., None], 0, 255).astype(np.float32)


def _hills(image: Image.Image, rng: np.random.Generator, land: Pixels, horizon: float) -> None:
    width, height = image.size
    draw = ImageDraw.Draw(image)
    x = np.arange(0, width + 8, 4)
    for layer in range(4):
        phases = rng.uniform(0, 6, 4)
        ridge = sum(
            np.sin(x / width * k + p) / (1 + i) for i, (k, p) in enumerate(zip((4, 9, 21, 57), phases, strict=True))
        )
        y = height * (horizon - 0.16 + layer * 0.05) - ridge * height * 0.05
        haze = 1 - (layer + 1) / 4
        colour = tuple(int(c) for c in land * (1 - haze) + np.array((168, 182, 200)) * haze)
        draw.polygon([(0, height), *zip(x.tolist(), y.tolist(), strict=True), (width, height)], fill=colour)
        if layer >= 2:
            _trees(draw, rng, x, y, colour)


def _trees(draw: ImageDraw.ImageDraw, rng: np.random.Generator, x: Pixels, y: Pixels, colour: tuple[int, ...]) -> None:
    for at in rng.integers(0, len(x), 46):
        tall, dark = float(rng.uniform(14, 46)), rng.uniform(0.55, 0.9)
        fill = tuple(int(c * dark) for c in colour)
        left, foot = float(x[at]), float(y[at]) + 6
        draw.polygon([(left - tall / 4, foot), (left, foot - tall), (left + tall / 4, foot)], fill=fill)


def _water(image: Image.Image, rng: np.random.Generator, horizon: float) -> None:
    width, height = image.size
    line = int(height * (horizon + 0.06))
    depth = height - line
    mirrored = image.crop((0, max(0, line - depth), width, line)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    pixels = np.asarray(mirrored.resize((width, depth)), np.float32)
    yy, xx = np.mgrid[0:depth, 0:width]
    wave = np.sin(yy**0.8 * 0.9 + np.sin(xx / 60 + yy / 9) * 1.4) * (3 + yy / 18)
    shifted = pixels[yy, np.clip(xx + wave * 2, 0, width - 1).astype(int)]
    glints = (rng.random((depth, width, 1)) > 0.997) * 60 * np.ones(3)
    image.paste(
        Image.fromarray(np.clip(shifted * 0.78 + 8 + wave[..., None] * 2 + glints, 0, 255).astype(np.uint8)), (0, line)
    )


def _meadow(image: Image.Image, rng: np.random.Generator, land: Pixels, horizon: float) -> None:
    width, height = image.size
    draw = ImageDraw.Draw(image)
    top = int(height * (horizon + 0.04))
    draw.rectangle((0, top, width, height), fill=tuple(int(c) for c in land * 1.15))
    for at in np.sort(rng.uniform(0, 1, 2600) ** 1.4):
        y = top + at * (height - top)
        x, tall = rng.uniform(0, width), 4 + 34 * at
        fill = tuple(int(c) for c in np.clip(land * rng.uniform(0.8, 2.1) + (20, 24, 0), 0, 255))
        draw.line((x, y, x + rng.uniform(-6, 6), y - tall), fill=fill, width=1 + int(at * 2))


def _boats(image: Image.Image, rng: np.random.Generator, scene: Scene, horizon: float) -> None:
    width, height = image.size
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(1, 4))):
        far = rng.uniform(0.12, 0.34)
        x, y, s = width * (rng.uniform(0.12, 0.85) + scene.shift), height * (horizon + far), height * 0.28 * far
        wall = _WALLS[int(rng.integers(0, len(_WALLS)))]
        draw.rectangle((x, y - s, x + s * 1.6, y), fill=wall)
        roof = [(x - s * 0.15, y - s), (x + s * 0.8, y - s * 1.7), (x + s * 1.75, y - s)]
        draw.polygon(roof, fill=(112, 52, 44))
        for window in (0.25, 0.95):
            box = (x + s * window, y - s * 0.7, x + s * (window + 0.35), y - s * 0.3)
            draw.rectangle(box, fill=(250, 222, 140), outline=(60, 50, 46), width=max(1, int(s / 30)))


def _spoilt(image: Image.Image, scene: Scene) -> Image.Image:
    match scene.fault:
        case "blur":
            return image.filter(ImageFilter.GaussianBlur(9 * scene.strength * image.width / 1500))
        case "over":
            return image.point(lambda v: min(255, int(v * (1 + 1.4 * scene.strength) + 30)))
        case "under":
            return image.point(lambda v: int(v * 0.2 / scene.strength))
        case _:
            return image
