"""Photos drawn by seed for archives: series of each kind, shots of several photos, ratings, missing values."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from culld.archive.parquet.folder import ArchiveFolder, Manifest, placed
from culld.archive.parquet.row import Beside, failed_row, scored_row
from culld.archive.parquet.schema import plan_schema
from culld.archive.records import Status
from culld.archive.scoring.shards import write_rows
from culld.records import (
    Assessment,
    Camera,
    DHash,
    Exposure,
    Face,
    FileStat,
    Format,
    Photo,
    Rating,
    RootedPath,
    Scores,
    Subject,
    Unreadable,
    UserMetadata,
    UserMetadataSources,
)

ROOT = Path("/library")
SIDE = DHash.SIDE


@dataclass
class Drawn:
    """Photos with what is beside them, and those without a judgement."""

    photos: list[tuple[Assessment, Beside]] = field(default_factory=list)
    failed: list[RootedPath] = field(default_factory=list)

    def rows(self) -> list[dict[str, Any]]:
        """The rows, those of a folder in the order of their photos."""
        scored = [scored_row(each, beside) for each, beside in self.photos]
        return scored + [failed_row(place, None, Status.FAILED, "permission denied") for place in self.failed]


def archive(
    out: Path, rows: list[dict[str, Any]], shard_size: int, *, model: str = "model@1", scan: int = 1
) -> ArchiveFolder:
    """Write an archive of rows in the order given, with its plan."""
    folder = ArchiveFolder(out)
    out.mkdir(parents=True, exist_ok=True)
    folder.open(Manifest((str(ROOT),), model))
    shards = [rows[start : start + shard_size] for start in range(0, len(rows), shard_size)]
    plan(folder, scan, [[row["path"].encode() for row in shard] for shard in shards])
    for number, shard in enumerate(shards):
        write_rows(folder.shard(scan, number), shard, scan)
    return folder


def plan(folder: ArchiveFolder, scan: int, shards: list[list[bytes]], gone: tuple[bytes, ...] = ()) -> None:
    """Write the plan of a scan: the paths of each shard, and those of photos that are gone."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    root = str(ROOT).encode()
    rows = [(number, root, key[len(root) + 1 :]) for number, keys in enumerate(shards) for key in keys]
    rows += [(-1, b"/", key[1:]) for key in gone]
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    arrays = [pa.array(column, each.type) for column, each in zip(columns, plan_schema(), strict=True)]
    with placed(folder.plan(scan)) as hidden:
        pq.write_table(pa.Table.from_arrays(arrays, schema=plan_schema()), hidden)


def draw(seed: int, folders: int = 12, shots: int = 30) -> Drawn:
    """Photos of some folders."""
    rng = random.Random(seed)  # noqa: S311 (a test)
    found = Drawn()
    for number in range(folders):
        _Folder(rng, f"20{number:02}/trip {number}", found).draw(shots)
    return found


@dataclass
class _Folder:
    """Draws the photos of one folder, in the order of time but for a few."""

    rng: random.Random
    name: str
    found: Drawn
    moment: datetime = datetime(2021, 3, 4, 10, tzinfo=UTC)
    count: int = 0
    setup: tuple[float | None, int | None, float | None] = (2.8, 400, 35.0)
    time_s: float | None = 0.01

    def draw(self, shots: int) -> None:
        """Draw about so many shots, in scenes of one to nine."""
        while self.count < shots:
            self.moment += timedelta(seconds=self.rng.choice([3, 20, 55, 61, 400]))
            if self.rng.random() < 0.6:
                self.setup = (
                    self.rng.choice([1.8, 2.8, None]),
                    self.rng.choice([100, 400, None]),
                    self.rng.choice([35.0, 50.0]),
                )
            self.time_s = self.rng.choice([0.001, 0.01, 0.02, 1 / 3, 20.0, None])
            kind = self.rng.choice(["single", "single", "burst", "ladder", "turn", "steady", "any"])
            if kind in {"single", "any"}:
                (self._single if kind == "single" else self._any)()
            else:
                self._scene(kind)

    def _single(self) -> None:
        self._shot(self._hash())

    def _any(self) -> None:
        """Shots of little in common, with one of them like another."""
        hashes = [self._hash() for _ in range(3)]
        for each in (*hashes, hashes[self.rng.randrange(3)]):
            self.time_s = self.rng.choice([0.01, 0.013, 0.04])
            self._shot(each)
            self._wait()

    def _scene(self, kind: str) -> None:
        shown = self._hash()
        step = self.rng.choice([0.4, 0.5, 2.0, 4.0])
        for number in range(self.rng.randrange(2, 9)):
            if kind == "ladder":
                self.time_s = min((self.time_s or 0.01) * step, 60.0)
                shown = self._changed(shown, 60) if self.rng.random() < 0.7 else self._hash()
            elif kind == "turn":
                shown = _turned(shown, self.rng, 5)
            else:
                shown = self._changed(shown, 4 if kind == "steady" else 45)
            self._shot(shown, bias=number - 1.0 if kind == "ladder" and self.rng.random() < 0.3 else 0.0)
            self._wait(0.3 if kind == "burst" else 5)

    def _wait(self, seconds: float = 1.0) -> None:
        self.moment += timedelta(seconds=self.rng.choice([0, seconds, seconds, 2 * seconds]))

    def _hash(self) -> DHash:
        return DHash(self.rng.getrandbits(SIDE * SIDE), self.rng.getrandbits(SIDE * SIDE))

    def _changed(self, dhash: DHash, bits: int) -> DHash:
        flips = [sum({1 << self.rng.randrange(SIDE * SIDE) for _ in range(bits)}) for _ in range(2)]
        return DHash(dhash.rows ^ flips[0], dhash.columns ^ flips[1])

    def _shot(self, dhash: DHash, bias: float = 0.0) -> None:
        """Add a shot: a JPEG, or a RAW with its JPEG, or the edited photo of a phone beside its original."""
        rng, self.count = self.rng, self.count + 1
        number = f"{self.count:04}"
        pair = rng.random()
        names = [f"IMG_{number}.jpg"]
        if pair < 0.2:
            names = [f"IMG_{number}.dng", *names]
        elif pair < 0.25:
            names = [f"IMG_E{number}.jpg", *names]
        for name in names:
            others = tuple(each for each in names if each != name)
            self._photo(name, others, None if rng.random() < 0.04 else dhash, bias)

    def _photo(self, name: str, siblings: tuple[str, ...], dhash: DHash | None, bias: float) -> None:
        rng, place = self.rng, RootedPath(ROOT, Path(self.name, name))
        if rng.random() < 0.02:
            self.found.failed.append(place)
            return
        aperture, iso, focal = self.setup
        taken = None if rng.random() < 0.04 else self.moment
        model = rng.choice(["X100", "X100", "X100", "M9", None])
        camera = Camera(model, taken, 1, Exposure(self.time_s, aperture, iso, bias), focal, rng.random() < 0.02)
        digest = f"{rng.getrandbits(256):064x}"
        if self.found.photos and rng.random() < 0.03:  # a copy of the photo before
            before = self.found.photos[-1][0].photo
            digest, camera = before.digest, before.camera
        format_ = Format.RAW if name.endswith("dng") else Format.JPEG
        photo = Photo(place, FileStat(0, 0, 10, self.count * 10**9, 0), digest, format_, camera)
        beside = Beside(self._sidecars(name), siblings, (f"{Path(name).stem}.mp4",) if rng.random() < 0.04 else ())
        sources = UserMetadataSources(
            self._marks(),
            tuple((place.beside(each), UserMetadata()) for each in beside.sidecars if each.endswith("xmp")),
        )
        self.found.photos.append(
            (
                Assessment(
                    photo, self._result(), "model@1", dhash, "", sources, self._subject(),
                    rng.choice([(6000, 4000), (6000, 4000), (600, 400), None]),
                ),
                beside,
            )
        )  # fmt: skip

    def _sidecars(self, name: str) -> tuple[str, ...]:
        return (f"{name}{self.rng.choice(['.xmp', '.pp3'])}",) if self.rng.random() < 0.08 else ()

    def _marks(self) -> UserMetadata:
        kind = self.rng.random()
        if kind < 0.05:
            return UserMetadata(stars=(Rating(f"xmp:Rating {kind}", 1 + round(60 * kind)),))
        if kind < 0.1:
            return UserMetadata(ratings=("label Red",), edited_by=("darktable",))
        return UserMetadata(unclear="XMP: cut off") if kind < 0.12 else UserMetadata()

    def _result(self) -> Scores | Unreadable:
        kind, rng = self.rng.random(), self.rng
        if kind < 0.03:
            return Unreadable("it is cut off")
        if kind < 0.05:
            return Scores(float("nan"), 0.1, 1.5)
        focus = rng.random() if rng.random() < 0.3 else None
        return Scores(rng.choice([rng.random(), 0.97, 0.99]), rng.random(), rng.random() ** 2, focus)

    def _subject(self) -> Subject | None:
        rng = self.rng
        if rng.random() < 0.1:
            return None
        face = Face((0.1, 0.2, 0.3, 0.4), ((0.2, 0.3), (0.3, 0.3)), 0.9, round(rng.random(), 4), -0.5)
        faces = (replace(face, blur=None) if rng.random() < 0.3 else face,) * rng.randrange(3)
        sharpness = None if rng.random() < 0.2 else round(rng.random(), 3)
        return Subject(faces, sharpness, round(rng.random(), 3), None, rng.choice([None, -1.0, -3.5, 0.5]))


def _turned(dhash: DHash, rng: random.Random, columns: int) -> DHash:
    """A view that is turned to the side: its columns move, and new ones appear."""
    keep = sum(((1 << (SIDE - columns)) - 1) << (SIDE * row) for row in range(SIDE))
    new = ((1 << SIDE * SIDE) - 1) & ~keep
    rows, cols = (each >> columns & keep | rng.getrandbits(SIDE * SIDE) & new for each in (dhash.rows, dhash.columns))
    return DHash(rows, cols)
