"""The pictures of the experiment: each scene clean and blurred as a whole, and their features by the frozen layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from culld.training.augment import Augmentation
from culld.training.cam_loss.targets import GRID, TARGETS
from culld.training.dataset import make_sample, number_of
from culld.training.distortions import Distortion, Kind, log_uniform
from culld.training.render import render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.training.dataset import Scene
    from culld.training.render import Jpeg

    Frame = NDArray[np.uint8]
    Features = Callable[[NDArray[np.float32]], NDArray[np.float32]]

_WAYS = ((Kind.DEFOCUS, 1.5, 8.0), (Kind.SOFT, 1.0, 5.0), (Kind.MOTION, 4.0, 30.0), (Kind.SHAKE, 6.0, 40.0))
_QUALITY = 92


@dataclass(frozen=True, slots=True)
class Pair:
    """A scene, clean and blurred; both are uint8 RGB frames that were saved once as JPEG."""

    clean: Frame
    blurred: Frame


@dataclass(frozen=True, slots=True, eq=False)
class PairFeatures:
    """The features of n pairs, clean ones first: `features` (2 n, 48, 64, 32) float16, `labels` (2 n).

    `targets` holds, for each name of `TARGETS`, the masks (2 n, 24, 32) of the clean frames.
    """

    features: NDArray[np.float16]
    labels: NDArray[np.float32]
    targets: dict[str, NDArray[np.float32]]


def pair_of(scene: Scene, photos: Path, decode: Callable[[Path], Frame], jpeg: Jpeg, seed: int) -> Pair:
    """Return a scene clean and blurred: by defocus, softness, motion or shake, just visible to strong."""
    rng = np.random.default_rng(number_of(seed, "cam loss", scene.file))
    kind, low, high = _WAYS[int(rng.integers(len(_WAYS)))]
    step = Distortion(kind, log_uniform(rng, low, high))
    frame = decode(photos / scene.file)
    sample = make_sample(scene, "blur", (step,), Augmentation(), rng)
    return Pair(jpeg(frame, _QUALITY), jpeg(render(frame, sample, jpeg), _QUALITY))


def features_of(pairs: Sequence[Pair], frozen: Features) -> PairFeatures:
    """Return the features of pairs."""
    frames = [pair.clean for pair in pairs] + [pair.blurred for pair in pairs]
    parts = [frozen(frame[None].astype(np.float32)).astype(np.float16) for frame in frames]
    labels = np.repeat(np.array([0.0, 1.0], np.float32), len(pairs))
    masks = {name: np.stack([target(pair.clean) for pair in pairs] * 2) for name, target in TARGETS.items()}
    return PairFeatures(np.concatenate(parts), labels, masks)


def repaired(pair: Pair, cells: NDArray[np.bool_]) -> Frame:
    """Return the blurred frame with the pixels of some cells of the grid (24, 32) given back from the clean one."""
    height, width = pair.clean.shape[:2]
    whole = Image.fromarray(cells.astype(np.uint8)).resize((width, height), Image.Resampling.NEAREST)
    return np.where(np.asarray(whole)[..., None] > 0, pair.clean, pair.blurred)


def strongest(cam: NDArray[np.float32], share: float) -> NDArray[np.bool_]:
    """Return the cells of a map with the largest values, a share of all."""
    count = round(share * cam.size)
    cells = np.zeros(GRID[0] * GRID[1], np.bool_)
    cells[np.argsort(-cam, axis=None, kind="stable")[:count]] = True
    return cells.reshape(GRID)
