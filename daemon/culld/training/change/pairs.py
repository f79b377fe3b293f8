"""Drawn pairs of frames of one scene, with an exact mask of what changed in content.

A pair is made of one photo: light, noise, focus and a rest of misalignment differ between its frames and are no change
of content. Three of four pairs then differ in a region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culld.training.change.contents import CHANGES, change_content
from culld.training.change.shots import crop, develop, random_warp, refocus, warp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.training.change.regions import Frame

UNCHANGED = "unchanged"
KINDS = (UNCHANGED, *CHANGES)
"""The kinds of pairs: `unchanged`, and the changes of content `paste`, `remove`, `move` and `recolour`."""
_REFOCUSED = 0.35
_EMPTY_BORDER = 0.15
_CAMERA_PX, _REST_PX = 6.0, 1.5


@dataclass(frozen=True, slots=True)
class ChangePair:
    """Two frames, uint8 RGB (height, width, 3).

    The second one is aligned with the first but for up to 1.5 px in each direction. `mask` is True where their content
    differs, and `refocused` where one of both is blurred by a disk: bool (height, width) in the pixels of the first
    frame. `kind` is one of `KINDS`.
    """

    first: Frame
    second: Frame
    mask: NDArray[np.bool_]
    kind: str
    refocused: NDArray[np.bool_]


def make_pair(
    photo: Frame,
    other: Frame,
    rng: np.random.Generator,
    *,
    kind: str | None = None,
    size: tuple[int, int] = (384, 512),
    refocused: bool | None = None,
) -> ChangePair:
    """Return a pair of frames of this (height, width) from a photo, uint8 RGB of any size.

    It is the same from the same `rng`. `other` is a photo of another scene, part of which may be pasted. Without
    `kind` one pair in four is unchanged, and without `refocused` a third is refocused. The order of both frames is
    random.
    """
    kind = kind or (UNCHANGED if rng.random() < 0.25 else str(rng.choice(list(CHANGES))))
    scene, donor = crop(photo, size, rng), crop(other, size, rng)
    frames, mask, blurred = [scene, scene], np.zeros(size, bool), np.zeros(size, bool)
    if kind != UNCHANGED:
        frames[0], mask = change_content(kind, scene, donor, rng)
    if rng.random() < _REFOCUSED if refocused is None else refocused:
        which = int(rng.integers(2))
        frames[which], blurred = refocus(frames[which], rng)
    first, second = frames if rng.random() < 0.5 else frames[::-1]
    camera = random_warp(size, _CAMERA_PX, rng)
    return ChangePair(
        develop(warp(first, camera), rng),
        _second_shot(second, camera, rng),
        warp(mask.astype(np.float32), camera) > 0.5,
        kind,
        warp(blurred.astype(np.float32), camera) > 0.5,
    )


def _second_shot(frame: Frame, camera: NDArray[np.float64], rng: np.random.Generator) -> Frame:
    """Return a frame that was shot from elsewhere, and aligned with the first camera again but for a rest.

    Where it has no pixels it is black at times.
    """
    size = frame.shape[:2]
    rest = random_warp(size, rng.uniform(0, _REST_PX), rng)
    if rng.random() < _EMPTY_BORDER:
        elsewhere = random_warp(size, 0.12 * size[1], rng)
        shot = develop(warp(frame, elsewhere @ camera), rng)
        return warp(shot, rest @ np.linalg.inv(elsewhere), empty_border=True)
    return develop(warp(frame, rest @ camera), rng)
