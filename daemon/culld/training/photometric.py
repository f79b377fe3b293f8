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
_BEND = 6 / 29  # where CIE Lab's cube root gives way to a line


def to_linear(srgb: Plane) -> Plane:
    """Light in proportion to energy, from sRGB values."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0.04) + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_srgb(linear: Plane) -> Plane:
    """SRGB values, from light in proportion to energy."""
    bright = 1.055 * np.maximum(linear, 0.003) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, linear * 12.92, bright).astype(np.float32)


def parabola(values: Plane, middle: float) -> Plane:
    """The tone curve through (0, 0), (0.5, middle) and (1, 1), clipped to 0..1 (KADID-10k types 16 and 17)."""
    bent = np.float32(2 - 4 * middle) * values**2 + np.float32(4 * middle - 1) * values
    return np.clip(bent, 0.0, 1.0).astype(np.float32)


def brighten(srgb: Plane, amount: float) -> Plane:
    """KADIS' brighten: two parts the curve on RGB, one part the curve on the lightness of CIE Lab."""
    middle = 0.5 + amount / 2
    return np.clip((2 * parabola(srgb, middle) + _on_lightness(srgb, middle)) / 3, 0.0, 1.0)


def darken(srgb: Plane, amount: float) -> Plane:
    """KADIS' darken: the curve on RGB; white stays white."""
    return parabola(srgb, 0.5 - amount / 2)


def expose(linear: Plane, stops: float, rng: np.random.Generator) -> Plane:
    """The same light with the exposure changed by this many stops: scaled, with sensor noise, clipped.

    Shot noise grows with the root of the signal; read noise does not. Their strengths are drawn as small cameras at
    ISO 100..1600 show them.
    """
    light: Plane = linear * np.float32(2.0**stops)
    shot, read = 10.0 ** rng.uniform(-4.5, -3.2), 10.0 ** rng.uniform(-3.7, -2.6)
    spread: Plane = np.sqrt(np.minimum(light, 1.0) * np.float32(shot) + np.float32(read**2))
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    return np.clip(light + noise * spread, 0.0, 1.0).astype(np.float32)


def highlights(linear: Plane, stops: float) -> Plane:
    """The light before the camera's shoulder pressed it together: white grows by up to this many stops.

    Windows, lamps and skies hold more light than a finished photo says, so a darker exposure of the same scene keeps
    them bright. Nothing below half of full light changes; values may pass 1.
    """
    share = np.clip(linear.max(axis=-1, keepdims=True) * 2 - 1, 0.0, 1.0)
    grown: Plane = linear * np.exp2(np.float32(stops) * share**2)
    return grown.astype(np.float32)


def relight(linear: Plane, stops: float, rng: np.random.Generator) -> Plane:
    """The scene under uneven light: smooth random patches, brighter and darker by about this many stops."""
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
    """An S-curve through black, middle grey and white: steeper above strength 0, flatter below; clipped to 0..1."""
    inside = np.clip(srgb, 0.0, 1.0)
    bent: Plane = inside + np.float32(4 * strength) * (inside - np.float32(0.5)) * inside * (1 - inside)
    return np.clip(bent, 0.0, 1.0).astype(np.float32)


def saturate(srgb: Plane, factor: float) -> Plane:
    """Colours further from grey (above 1) or nearer to it (below 1), clipped to 0..1."""
    grey = srgb.mean(axis=-1, keepdims=True)
    moved: Plane = grey + (srgb - grey) * np.float32(factor)
    return np.clip(moved, 0.0, 1.0).astype(np.float32)


def luma(srgb: Plane) -> NDArray[np.float32]:
    """The brightness 0..1 of each pixel as video weighs it (Rec. 709 on sRGB values)."""
    return (srgb @ np.array([0.2126, 0.7152, 0.0722], np.float32)).astype(np.float32)


def _on_lightness(srgb: Plane, middle: float) -> Plane:
    """Apply the curve to L of CIE Lab alone and return to sRGB."""
    root = _lab_root(to_linear(srgb) @ _TO_XYZ.T)
    lightness = np.float32(1.16) * root[..., 1:2] - np.float32(0.16)
    moved = (parabola(lightness, middle) - lightness) / np.float32(1.16)
    linear: Plane = _lab_cube((root + moved).astype(np.float32)) @ _FROM_XYZ.T
    return to_srgb(np.clip(linear, 0.0, 1.0))


def _lab_root(share: Plane) -> Plane:
    return np.where(share > _BEND**3, np.cbrt(share), share / (3 * _BEND**2) + 4 / 29).astype(np.float32)


def _lab_cube(root: Plane) -> Plane:
    return np.where(root > _BEND, root**3, 3 * _BEND**2 * (root - 4 / 29)).astype(np.float32)
