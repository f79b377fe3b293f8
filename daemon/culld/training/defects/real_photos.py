"""Photographs whose light or defect is real, not rendered; half of them is learnt from, the other half measured on.

A folder of them has an `index.csv` with the columns file, kind, repo and licence. Nights, high keys and bokeh are clean
scenes as those of the photographs are; of the other kinds a picture shows its label already, and is only augmented.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from culld.training.augment import Augmentation
from culld.training.dataset import HARD_TAGS, make_sample, read_scenes
from culld.training.defects.pictures import Picture, PictureMaker, rendered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from culld.training.dataset import Scene
    from culld.training.render import Jpeg

GROUP: Final = "real"
"""The group of pictures that show a real defect, or whose sharpness many people agreed on."""

_ALL: Final = (True, True, True)
_VIEWS: Final = 5  # of each photograph with a label of its own: there are few of them
_SHOWN: Final[dict[str, tuple[tuple[float, float, float], tuple[bool, bool, bool]]]] = {
    "blur": ((1.0, 0.0, 0.0), (True, False, False)),
    "sharp": ((0.0, 0.0, 0.0), (True, False, False)),
    "over": ((0.0, 0.0, 1.0), (False, False, True)),
}
"""The labels that a kind shows, and which of them are known."""


def is_kept_out(file: str) -> bool:
    """Return whether a photograph belongs to the half that is only measured on, by a hash of its name.

    Both frames of a pair (`pair-012.jpg`, `pair-013.jpg`) are on one side: ten numbers go together.
    """
    name = file.rsplit("/", 1)[-1]
    key = name[:-5] if name.startswith("pair-") else name
    return bool(int(hashlib.sha256(f"report/{key}".encode()).hexdigest(), 16) % 2)


def real_scenes(folder: Path, *, kept_out: bool = False) -> tuple[Scene, ...]:
    """Return one half of the photographs of the kinds that can be learnt from; a scene has its kinds as tags.

    Raises `ConfigError` if the folder has no index with these columns.
    """
    scenes = read_scenes(folder / "index.csv", tags="kind", source="repo")
    kinds = {*HARD_TAGS, *_SHOWN}
    return tuple(scene for scene in scenes if scene.tags <= kinds and is_kept_out(scene.file) == kept_out)


def pictures(scene: Scene, frame: NDArray[np.uint8], jpeg: Jpeg, rng: np.random.Generator) -> Iterator[Picture]:
    """Yield the pictures of one of these photographs: of a clean one all kinds, of another one views of itself.

    Nothing about under-exposure is learnt from them. With it the heads knew these nights by heart, took fewer really
    under-exposed photographs for such (21 of 35 in place of 23), and told unseen nights no better (area 0.82, 0.85
    without; two folds of 25 nights).
    """
    if scene.hard:
        for each in (Picture(frame, "clean", (0, 0, 0), _ALL), *PictureMaker(scene, frame, jpeg, rng).pictures()):
            yield replace(each, known=(each.known[0], False, each.known[2]))
        return
    labels, known = next(_SHOWN[tag] for tag in sorted(scene.tags))
    for view in range(_VIEWS):
        augmentation = Augmentation.random_toned(rng) if view else Augmentation()
        made = rendered(frame, make_sample(scene, GROUP, (), augmentation, rng), jpeg)
        yield replace(made, labels=labels, known=known)
