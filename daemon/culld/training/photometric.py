"""Brightness: transfer curves, KADIS' brighten and darken, and exposure in linear light; pure numpy.

Images are float32 arrays (height, width, 3) with values 0..1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

# IEC 61966-2-1: linear RGB to CIE XYZ, divided by the D65 white so that white is (1, 1, 1).
_WHITE = np.array([0.95047, 1.0, 1.08883])
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_TO_XYZ = (_TO_XYZ / _WHITE[:, None]).astype(np.float32)
_FROM_XYZ = np.linalg.inv(_TO_XYZ).astype(np.float32)
_RESPONSE = (-0.3293, 1.1258)
_BEND = 6 / 29  # below this value CIE Lab has a line in place of the cube root


def to_linear(srgb: Plane) -> Plane:
    """Return linear light (IEC 61966-2-1) for sRGB values."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0.04) + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_srgb(linear: Plane) -> Plane:
    """Return sRGB values (IEC 61966-2-1) for linear light."""
    bright = 1.055 * np.maximum(linear, 0.003) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, linear * 12.92, bright).astype(np.float32)


def of_camera(light: Plane) -> Plane:
    """Return the values 0..1 that a camera gives linear light, at least 0; light of 1 is white.

    The mean response of real cameras, exp(b (1 - light^a)) with a = -0.3293 and b = 1.1258 (Ying et al. 2017, "A new
    low-light image enhancement algorithm using camera response model", fitted to the DoRF database). Its dark tones are
    steeper than those of sRGB.
    """
    power, scale = _RESPONSE
    bent = np.maximum(light, 1e-6) ** power
    return np.exp(scale * (1 - bent)).astype(np.float32)


def of_sensor(values: Plane) -> Plane:
    """Return the linear light that a camera gives these values 0..1: the inverse of `of_camera`.

    Values below half a level of 255 count as that half level.
    """
    power, scale = _RESPONSE
    logarithm = np.log(np.maximum(values, 0.5 / 255))
    return ((1 - logarithm / scale) ** (1 / power)).astype(np.float32)


def to_pixels(srgb: Plane) -> NDArray[np.uint8]:
    """Return sRGB values 0..1, clipped and rounded, as pixels 0..255."""
    return np.round(np.clip(srgb, 0, 1) * 255).astype(np.uint8)


def parabola(values: Plane, middle: float) -> Plane:
    """Apply the parabola through (0, 0), (0.5, middle) and (1, 1), clipped to 0..1 (KADID-10k types 16 and 17)."""
    bent = np.float32(2 - 4 * middle) * values**2 + np.float32(4 * middle - 1) * values
    return np.clip(bent, 0.0, 1.0).astype(np.float32)


def brighten(srgb: Plane, amount: float) -> Plane:
    """Apply KADIS' brighten: the mean of two parts `parabola` on RGB and one part on the lightness of CIE Lab."""
    middle = 0.5 + amount / 2
    return np.clip((2 * parabola(srgb, middle) + _on_lightness(srgb, middle)) / 3, 0.0, 1.0)


def darken(srgb: Plane, amount: float) -> Plane:
    """Apply KADIS' darken: `parabola` on RGB; white does not change."""
    return parabola(srgb, 0.5 - amount / 2)


def expose(linear: Plane, stops: float, rng: np.random.Generator) -> Plane:
    """Change the exposure of linear light by this many stops: scale it, add sensor noise, clip it to 0..1.

    The variance of shot noise is proportional to the signal; that of read noise is constant. Both strengths are drawn
    from the range of small cameras at ISO 100..1600.
    """
    light: Plane = linear * np.float32(2.0**stops)
    shot, read = 10.0 ** rng.uniform(-4.5, -3.2), 10.0 ** rng.uniform(-3.7, -2.6)
    spread: Plane = np.sqrt(np.minimum(light, 1.0) * np.float32(shot) + np.float32(read**2))
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    return np.clip(light + noise * spread, 0.0, 1.0).astype(np.float32)


def highlights(linear: Plane, stops: float) -> Plane:
    """Undo the highlight compression of a camera: linear light of 1 grows by this many stops.

    Windows, lamps and skies are brighter than the white of the file, so a darker exposure of the same scene keeps
    them bright. Values up to 0.5 do not change; results may exceed 1.
    """
    share = np.clip(linear.max(axis=-1, keepdims=True) * 2 - 1, 0.0, 1.0)
    grown: Plane = linear * np.exp2(np.float32(stops) * share**2)
    return grown.astype(np.float32)


def relight(linear: Plane, stops: float, rng: np.random.Generator) -> Plane:
    """Multiply linear light by smooth random patches, brighter and darker by about this many stops."""
    height, width = linear.shape[:2]
    field = rng.normal(size=(4, 5)).astype(np.float32)
    for axis, size in ((0, height), (1, width)):
        place = np.linspace(0, field.shape[axis] - 1.001, size, dtype=np.float32)
        below = place.astype(int)
        ease = np.expand_dims((place - below) ** 2 * (3 - 2 * (place - below)), 1 - axis)
        field = field.take(below, axis) * (1 - ease) + field.take(below + 1, axis) * ease
    lit: Plane = linear * np.exp2(np.float32(stops) * field)[..., None]
    return lit.astype(np.float32)


def contrast(srgb: Plane, strength: float) -> Plane:
    """Apply an S-curve through 0, 0.5 and 1, clipped to 0..1; steeper if strength > 0, flatter if below."""
    inside = np.clip(srgb, 0.0, 1.0)
    bent: Plane = inside + np.float32(4 * strength) * (inside - np.float32(0.5)) * inside * (1 - inside)
    return np.clip(bent, 0.0, 1.0).astype(np.float32)


def saturate(srgb: Plane, factor: float) -> Plane:
    """Scale the distance of each colour from its grey by `factor`, clipped to 0..1."""
    grey = srgb.mean(axis=-1, keepdims=True)
    moved: Plane = grey + (srgb - grey) * np.float32(factor)
    return np.clip(moved, 0.0, 1.0).astype(np.float32)


def luma(srgb: Plane) -> NDArray[np.float32]:
    """Return the luma (0..1) of each pixel: the weights of Rec. 709 on sRGB values."""
    return (srgb @ np.array([0.2126, 0.7152, 0.0722], np.float32)).astype(np.float32)


def _on_lightness(srgb: Plane, middle: float) -> Plane:
    """Apply `parabola` to L of CIE Lab only; return sRGB values."""
    root = _lab_root(to_linear(srgb) @ _TO_XYZ.T)
    lightness = np.float32(1.16) * root[..., 1:2] - np.float32(0.16)
    moved = (parabola(lightness, middle) - lightness) / np.float32(1.16)
    linear: Plane = _lab_cube((root + moved).astype(np.float32)) @ _FROM_XYZ.T
    return to_srgb(np.clip(linear, 0.0, 1.0))


def _lab_root(share: Plane) -> Plane:
    return np.where(share > _BEND**3, np.cbrt(share), share / (3 * _BEND**2) + 4 / 29).astype(np.float32)


def _lab_cube(root: Plane) -> Plane:
    return np.where(root > _BEND, root**3, 3 * _BEND**2 * (root - 4 / 29)).astype(np.float32)
