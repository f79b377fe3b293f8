"""Features of every training picture by the frozen backbone, computed once and kept on disk.

The backbone is not trained, so its features never change: the heads then train in a minute.
"""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from culld.errors import ConfigError
from culld.training.dataset import number_of, samples
from culld.training.defects import real_photos
from culld.training.defects.pictures import Picture, PictureMaker, rendered
from culld.training.kadis_dataset import TYPES, kadis_samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from culld.training.dataset import Sample, Scene
    from culld.training.experiment import Experiment
    from culld.training.render import Jpeg

    Frame = NDArray[np.uint8]
    Numbers = NDArray[np.float32]
    Run = Callable[[Frame], Numbers]

PICTURES = ("field", "kadis", "varied")
"""The kinds of pictures made of a scene: defects as they happen in the field, all four KADIS distortions, or the
defects of the field and what looks like them (`PictureMaker`)."""

REAL = "real"
"""The kind of pictures that are made of `real_photos`."""

_THREADS = 2
_CHUNK = 64  # scenes between two reports of progress
_SEEDS_APART = 1000  # so that draws of one seed are not those of the next one
_DRAWN_BY = ("dataset", "distortions", "augment", "render", "blur_kernels", "photometric")
_SUBJECTS = ("degradations", "defects/pictures", "exposure/composites", "exposure/grounds", "exposure/mattes")
_CODE = {"field": _DRAWN_BY, "kadis": (*_DRAWN_BY, "kadis_dataset"), "varied": (*_DRAWN_BY, *_SUBJECTS)}
_CODE[REAL] = (*_CODE["varied"], "defects/real_photos")
_FORMAT = 3  # of the tables on disk


@dataclass(frozen=True, slots=True)
class Table:
    """One row for each picture.

    `features` (n, all groups, float16), `labels` (n, 3) of 0 to 1, `known` (n, 3), `group` (n) names of distortions,
    `hard` (n) whether the scene is a hard negative, `stops` (n) by how much it was exposed too bright, `scene` (n) the
    file of the scene.
    """

    features: NDArray[np.float16]
    labels: NDArray[np.float32]
    known: NDArray[np.bool_]
    group: NDArray[np.str_]
    hard: NDArray[np.bool_]
    stops: NDArray[np.float32]
    scene: NDArray[np.str_]

    @classmethod
    def joined(cls, tables: Sequence[Table]) -> Table:
        """Return all rows of these tables, in order."""
        return cls(*(np.concatenate([getattr(table, field.name) for table in tables]) for field in fields(cls)))


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw of one kind of pictures (`PICTURES` or `REAL`) out of every scene, by the seed of the experiment.

    Raises `ConfigError` for another kind.
    """

    experiment: Experiment
    pictures: str
    number: int

    def __post_init__(self) -> None:
        """Check the kind before the run begins."""
        if self.pictures not in {*PICTURES, REAL}:
            raise ConfigError((f"pictures: {self.pictures!r} is not one of {', '.join(PICTURES)}",))

    def of(self, scene: Scene, frame: Frame, jpeg: Jpeg) -> Iterator[Picture]:
        """Yield the pictures of a scene whose clean frame is `frame`."""
        rng = np.random.default_rng(number_of(self.experiment.seed, f"{self.pictures} {self.number}", scene.file))
        if self.pictures == REAL:
            yield from real_photos.pictures(scene, frame, jpeg, rng)
            return
        if self.pictures == "varied":
            yield Picture(frame, "clean", (0, 0, 0), (True, True, True))
            yield from PictureMaker(scene, frame, jpeg, rng).pictures()
            return
        for sample in self._samples(scene):
            made = rendered(frame, sample, jpeg)
            # KADIS labels a picture by its distortion, visible or not.
            yield replace(made, known=(True, True, True)) if self.pictures == "kadis" else made

    def _samples(self, scene: Scene) -> list[Sample]:
        if self.pictures == "kadis":
            return kadis_samples(scene, len(TYPES), self.experiment.seed + self.number * _SEEDS_APART)
        return samples(scene, self.number, self.experiment)


@dataclass(frozen=True, slots=True)
class Extractor:
    """Makes tables of features.

    `decode` brings a file into the network's frame; `jpeg` saves pixels and reads them again; `engine` opens a LiteRT
    file for one thread; `backbone` is that file; `cache` is the folder for finished tables.
    """

    photos: Path
    decode: Callable[[Path], Frame]
    jpeg: Jpeg
    engine: Callable[[Path], Run]
    backbone: Path
    cache: Path

    def table(self, scenes: Sequence[Scene], draw: Draw, progress: Callable[[int, int], None]) -> Table:
        """Return the features of one draw of these scenes, from the cache if they were computed before."""
        kept = self.cache / f"{draw.pictures}-{self._key(scenes, draw)}.npz"
        if kept.exists():
            with np.load(kept) as found:
                return Table(**{field.name: found[field.name] for field in fields(Table)})
        parts: list[Table] = []
        for part in self._compute(scenes, draw):
            parts.append(part)
            progress(len(parts), len(scenes))
        table = Table.joined(parts)
        self._keep(kept, table)
        return table

    def _compute(self, scenes: Sequence[Scene], draw: Draw) -> Iterator[Table]:
        local = threading.local()

        def work(scene: Scene) -> Table:
            if not hasattr(local, "run"):
                local.run = self.engine(self.backbone)
            return self._extract(scene, draw, local.run)

        with ThreadPoolExecutor(_THREADS) as pool:
            for start in range(0, len(scenes), _CHUNK):
                yield from pool.map(work, scenes[start : start + _CHUNK])

    def _extract(self, scene: Scene, draw: Draw, run: Run) -> Table:
        frame = self.decode(self.photos / scene.file)
        made = list(draw.of(scene, frame, self.jpeg))
        return Table(
            features=np.stack([run(each.frame) for each in made]).astype(np.float16),
            labels=np.array([each.labels for each in made], np.float32),
            known=np.array([each.known for each in made], np.bool_),
            group=np.array([each.group for each in made]),
            hard=np.full(len(made), scene.hard),
            stops=np.array([each.stops for each in made], np.float32),
            scene=np.full(len(made), scene.file),
        )

    def _key(self, scenes: Sequence[Scene], draw: Draw) -> str:
        """Return a hash of all that decides the features: scenes, seed, draw, backbone, and the code that renders."""
        parts = [
            f"{_FORMAT} {draw.experiment.seed} {draw.number}".encode(),
            self.backbone.read_bytes(),
            str(self.photos.resolve()).encode(),
        ]
        parts += [f"{scene.file} {sorted(scene.tags)}".encode() for scene in scenes]
        for module in _CODE[draw.pictures]:
            parts.append((Path(__file__).parents[1] / f"{module}.py").read_bytes())
        return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]

    def _keep(self, path: Path, table: Table) -> None:
        """Write beside, then rename, so that a torn file is never taken for a table."""
        path.parent.mkdir(parents=True, exist_ok=True)
        torn = path.with_suffix(".part")
        with torn.open("wb") as stream:
            np.savez(stream, **{field.name: getattr(table, field.name) for field in fields(Table)})
        torn.replace(path)
