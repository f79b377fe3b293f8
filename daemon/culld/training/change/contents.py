"""Changes of content: what is pasted, removed, moved or recoloured in one of two frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culld.training.change.regions import LARGEST, SMALLEST, blend, draw_region, shift, visibility

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from culld.training.change.regions import Alpha, Frame

    Change = Callable[[Frame, Frame, Alpha, np.random.Generator], tuple[Frame, Alpha]]

_TRIES = 8
_VISIBLE = 0.7  # of a region, so that its mask is what can be seen


def change_content(kind: str, scene: Frame, other: Frame, rng: np.random.Generator) -> tuple[Frame, NDArray[np.bool_]]:
    """Return a frame with a change of this kind of `CHANGES`, and the mask of the changed region.

    `other` is a photo of the same size, part of which is pasted. Of eight random regions the first one is taken in
    which most of the change can be seen, else the one in which most of it can.
    """
    best, seen = (scene, np.zeros(scene.shape[:2], bool)), -1.0
    for _ in range(_TRIES):
        share = float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))))
        changed, cover = CHANGES[kind](scene, other, draw_region(scene.shape[:2], share, rng), rng)
        mask = cover > 0.5
        found = visibility(scene, changed, mask) * float(SMALLEST <= mask.mean() <= 1.2 * LARGEST)
        if found > seen:
            best, seen = (changed, mask), found
        if seen >= _VISIBLE:
            break
    return best


def _paste(scene: Frame, other: Frame, cover: Alpha, rng: np.random.Generator) -> tuple[Frame, Alpha]:
    """Lay the same region of the other photo over the scene; a third have the light of the scene or are translucent."""
    inside = cover > 0.5
    above = other.astype(np.float32)
    way = rng.random()
    if way < 0.2 and inside.any():
        above = (above - above[inside].mean(axis=0)) * rng.uniform(0.5, 1) + scene[inside].mean(axis=0)
    opacity = rng.uniform(0.5, 0.8) if 0.2 <= way < 0.35 else 1.0
    return blend(scene, above, cover * np.float32(opacity)), cover


def _remove(scene: Frame, _other: Frame, cover: Alpha, rng: np.random.Generator) -> tuple[Frame, Alpha]:
    """Fill the region from beside it."""
    dx, dy = _beside(cover, rng, 1.1)
    return blend(scene, shift(scene, -dx, -dy), cover), cover


def _move(scene: Frame, other: Frame, cover: Alpha, rng: np.random.Generator) -> tuple[Frame, Alpha]:
    """Fill the region from beside it and lay it down elsewhere; both places have changed."""
    dx, dy = _beside(cover, rng, rng.uniform(0.5, 2))
    filled, _ = _remove(scene, other, cover, rng)
    there = shift(cover, dx, dy, mirrored=False)
    return blend(filled, shift(scene, dx, dy), there), np.maximum(cover, there)


def _recolour(scene: Frame, _other: Frame, cover: Alpha, rng: np.random.Generator) -> tuple[Frame, Alpha]:
    """Shift lightness and colour of the region by 18 to 60 units of CIE Lab."""
    import cv2

    direction = rng.standard_normal(3) * (0.7, 1, 1)
    step = direction / np.linalg.norm(direction) * rng.uniform(18, 60)
    lab = cv2.cvtColor(scene.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) + np.float32(step)
    lab[:, :, 0] = np.clip(lab[:, :, 0], 0, 100)
    return blend(scene, cv2.cvtColor(lab, cv2.COLOR_LAB2RGB) * 255, cover), cover


def _beside(cover: Alpha, rng: np.random.Generator, factor: float) -> tuple[int, int]:
    """Return a step in a random direction, `factor` times as long as the region is wide, towards the frame's middle."""
    rows, columns = np.nonzero(cover > 0.5)
    if not len(rows):
        return 0, 0
    angle = rng.uniform(0, 2 * np.pi)
    dx, dy = np.cos(angle) * factor * (np.ptp(columns) + 4), np.sin(angle) * factor * (np.ptp(rows) + 4)
    middle = cover.shape[1] / 2 - columns.mean(), cover.shape[0] / 2 - rows.mean()
    return int(abs(dx) * (1 if middle[0] > 0 else -1)), int(abs(dy) * (1 if middle[1] > 0 else -1))


CHANGES: dict[str, Change] = {"paste": _paste, "remove": _remove, "move": _move, "recolour": _recolour}
"""The kinds of change of content, by name."""
