"""The photographs that drops are made from, one half for development and one half for the report."""

from __future__ import annotations

import csv
import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from bench.series import sets
from bench.series.sets import Drop, Frame, Maker
from culld.imaging.decode import to_network_frame
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.imaging.image_file import DecodeLimits
from culld.stages.read.assess import exif_of
from culld.stages.read.exif_facts import camera_facts

_GENERAL = (*("cid22", "osie", "scene_nus", "kodak", "budgie", "jetson", "tinycoco", "work_suite", "trident", "human"),)
_UNRELATED = ("osie", "scene_nus", "cid22", "tinycoco")
_LARGE = 1300
_MAKERS: dict[str, Maker] = {
    "bracket by hand": sets.hand_bracket,
    "bracket by hand, night": sets.hand_bracket,
    "bracket by the camera": sets.auto_bracket,
    "focus stack": sets.focus_stack,
    "focus stack racked by hand": sets.racked_stack,
    "panorama": sets.panorama,
    "panorama with little overlap": sets.thin_panorama,
    "burst": sets.burst,
    "burst that follows an object": sets.panned_burst,
    "second tries": sets.retakes,
}


@dataclass(frozen=True, slots=True)
class Collection:
    """The photographs of `shared`; a half holds the files whose SHA-256 of the name is even (`dev`) or odd (`test`)."""

    shared: Path
    half: str

    def drops(self, count: int) -> Iterator[Drop]:
        """Yield the drops of each kind, at most `count` of a kind and source; real series come in both halves."""
        yield from self._real()
        for kind, make in _MAKERS.items():
            scenes = self._scenes(kind)
            for scene in random.Random(kind + self.half).sample(scenes, min(count, len(scenes))):  # noqa: S311 (a bench)
                others = [path for path in scenes if path.parent == scene.parent and path != scene]
                yield sets.drop_of(kind, scene, others or scenes, make)
        for name in _UNRELATED:
            yield from self._unrelated("unrelated photos", name, count)
        yield from self._unrelated("unrelated photos of clothes", "clothing", count)
        yield from self._unrelated("photos of one thing, one after the other", "dreambooth", count, mixed=False)

    def _unrelated(self, kind: str, name: str, count: int, *, mixed: bool = True) -> Iterator[Drop]:
        paths = self._folder(self.shared / "photos" / name)
        if mixed:
            random.Random(kind + self.half).shuffle(paths)  # noqa: S311 (a bench)
        yield from sets.unrelated(paths[: count * sets.LENGTH], kind)

    def _scenes(self, kind: str) -> list[Path]:
        photos, more = self.shared / "photos", self.shared / "more"
        if kind.startswith("panorama"):
            folders = [self.shared / "camera/dresden", *(more / name for name in ("night_lowkey", "highkey", "bokeh"))]
            return [path for folder in folders for path in self._folder(folder) if _longest(path) >= _LARGE]
        if kind.endswith("night"):
            rows = csv.DictReader((photos / "index.csv").read_text("utf-8").splitlines())
            night = [photos / row["file"] for row in rows if "night" in row["tags"]]
            return [path for path in night if self._is_in_half(path)] + self._folder(more / "night_lowkey")
        return [path for name in _GENERAL for path in self._folder(photos / name)]

    def _folder(self, folder: Path) -> list[Path]:
        found = (path for path in folder.glob("*") if path.suffix.lower() in {".jpg", ".jpeg"})
        return sorted(path for path in found if self._is_in_half(path))

    def _is_in_half(self, path: Path) -> bool:
        return hashlib.sha256(path.name.encode()).digest()[-1] % 2 == (self.half == "test")

    def _real(self) -> Iterator[Drop]:
        """Yield the real focus stacks and bursts, by camera and day.

        One focus stack is the three blurred ends of ten shots: the files of its middle are not in `shared`.
        """
        for folder, kind in (("series_focus", "real focus stack"), ("series_burst", "real burst")):
            drops: dict[str, Drop] = {}
            for path in sorted((self.shared / "more" / folder).glob("*.jpg")):
                frame = _stored(path)
                taken = frame.camera.taken_at
                name = f"{frame.camera.model or 'no EXIF'} {'' if taken is None else taken.date()}"
                drops.setdefault(name, Drop(kind, name, name)).frames.append(frame)
            yield from drops.values()


def _stored(path: Path) -> Frame:
    with path.open("rb") as stream:
        format_ = recognise(stream.read(HEAD_BYTES), path.name)
        camera = camera_facts(exif_of(stream, format_, DecodeLimits()))
    with Image.open(path) as image:
        return Frame(to_network_frame(image), camera, series=True)


def _longest(path: Path) -> int:
    with Image.open(path) as image:
        return max(image.size)
