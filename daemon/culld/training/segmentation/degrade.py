"""The defects of composites: each takes pixels of a patch and gives them with the defect all over.

Blur, light and noise work in linear light, float32 (height, width, 3); what is compressed is uint8.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageFilter

from culld.training.blur_kernels import cat_eye, convolve, disk, motion, shake, small_blur
from culld.training.photometric import to_linear, to_srgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Light = NDArray[np.float32]

RADII: Final = (1.6, 9.0)
"""Of a disk of defocus, in px."""
LENGTHS: Final = (6.0, 40.0)
"""Of a path of motion, in px."""
SOFTNESS: Final = (0.3, 0.8)
"""Standard deviations in px of what is soft, yet sharp enough."""
SHARPENING: Final = (0.7, 2.0)
"""Standard deviations in px of the unsharp masks of cameras."""
GRAIN: Final = (0.3, 1.8)
"""Standard deviations in grey levels of the noise that nearly every photo has."""
QUALITIES: Final = (4.0, 22.0)
"""Of JPEG files with visible blocks."""
_LUMA: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)


def defocused(light: Light, rng: np.random.Generator) -> Light:
    """Return light through a lens out of focus; a third of the disks are cut by the edge of the lens."""
    radius = _log(rng, *RADII)
    return convolve(light, cat_eye(radius, rng) if rng.random() < 0.33 else disk(radius))


def moved(light: Light, rng: np.random.Generator) -> Light:
    """Return light while the camera or a thing moved: straight, or along the path of a shaken hand."""
    length = _log(rng, *LENGTHS)
    straight = rng.random() < 0.6
    return convolve(light, motion(length, rng.uniform(0, 180)) if straight else shake(1.5 * length, rng))


def darkened(light: Light, rng: np.random.Generator) -> Light:
    """Return light in which a part of the shadows, 30 to 95 %, is below zero; what stays is darker by 0 to 3 stops."""
    luma = light @ _LUMA
    black = float(np.quantile(luma, rng.uniform(0.3, 0.95)))
    return (light - np.float32(black)) * np.float32(2.0 ** -rng.uniform(0, 3))


def brightened(light: Light, rng: np.random.Generator) -> Light:
    """Return light of which a part, 30 to 95 %, is above white."""
    luma = light @ _LUMA
    white = max(float(np.quantile(luma, rng.uniform(0.05, 0.7))), 0.02)
    return light * np.float32(1.05 / white)


def noisy(light: Light, rng: np.random.Generator) -> Light:
    """Return light with the noise of a sensor: shot noise and read noise, at times smoothed as a camera does."""
    shot, read = 10 ** rng.uniform(-2.9, -1.7), 10 ** rng.uniform(-2.5, -1.7)
    spread = np.sqrt(np.clip(light, 0, 1) * np.float32(shot) + np.float32(read * read))
    noisy_light: Light = light + _grain(light.shape, rng) * spread
    return noisy_light


def grainy(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return pixels with as little noise as nearly every photo has: it is no defect."""
    noise = _grain(pixels.shape, rng) * np.float32(rng.uniform(*GRAIN))
    found: Pixels = np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)
    return found


def softened(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return pixels that are a little soft, as those of a small sensor: no defect."""
    soft = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(rng.uniform(*SOFTNESS)))
    return np.asarray(soft)


def sharpened(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return pixels as a camera sharpens them, blurred ones as well."""
    radius, percent = rng.uniform(*SHARPENING), round(rng.uniform(30, 120))
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.UnsharpMask(radius, percent, 0)))


def compressed(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return pixels after JPEG with visible blocks, on a grid that begins anywhere."""
    down, across = (int(value) for value in rng.integers(0, 8, 2))
    found = pixels.copy()
    quality = round(_log(rng, *QUALITIES))
    found[down:, across:] = jpeg(np.ascontiguousarray(pixels[down:, across:]), quality)
    return found


def banded(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return pixels with few levels, so that gradients have steps."""
    step = rng.uniform(10, 32)
    levels: Pixels = np.clip(np.rint(np.rint(pixels / step) * step), 0, 255).astype(np.uint8)
    return levels


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    """Return pixels after JPEG of a quality 1..100 with 4:2:0."""
    saved = io.BytesIO()
    Image.fromarray(pixels).save(saved, "JPEG", quality=quality, subsampling=2)
    return np.asarray(Image.open(io.BytesIO(saved.getvalue())).convert("RGB"))


def light_of(pixels: Pixels) -> Light:
    """Return the linear light of pixels, 0..1."""
    return to_linear(pixels.astype(np.float32) / np.float32(255))


def pixels_of(light: Light) -> Pixels:
    """Return linear light, clipped to 0..1, as pixels."""
    found: Pixels = np.rint(to_srgb(np.clip(light, 0, 1)) * 255).astype(np.uint8)
    return found


def _grain(shape: tuple[int, ...], rng: np.random.Generator) -> Light:
    """Return noise of deviation 1: of colour or of brightness only, of single pixels or smoothed."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    if rng.random() < 0.4:  # as after a camera took the colour out of it
        noise = np.repeat(noise[..., :1], 3, axis=2)
    if rng.random() < 0.5:
        noise = small_blur(noise) * np.float32(8 / 3)  # restores the deviation of independent pixels
    return noise


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
