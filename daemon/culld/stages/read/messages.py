"""What a worker process is asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from culld.tags.names import fits

if TYPE_CHECKING:
    from pathlib import Path

    from culld.inference.gpu_process import Address
    from culld.records import FileSnapshot, Photo, RootedPath, UserMetadata
    from culld.tags.draft import TagRequest


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """The model's file and id, and the largest photo in pixels and in bytes.

    `engine` is where the process with the GPU listens, if there is one.
    """

    model: Path
    model_id: str
    pixels: int
    file_size: int
    engine: Address | None = None


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A settled file, and the digests of the contents at its place that were judged before."""

    sighting: FileSnapshot
    judged: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class UserMetadataRequest:
    """The files that may tell what people have done for a shot: its pictures, and its XMP sidecars."""

    pictures: tuple[Photo, ...]
    sidecars: tuple[RootedPath, ...]


@dataclass(frozen=True, slots=True)
class UserMetadataCheck:
    """What people had done for a shot when it was decided about, which must still be so when it is planned.

    `names` are the names in the folder of the shot then, in lower case: a sidecar that is not among them is new.
    """

    request: UserMetadataRequest
    expected: UserMetadata
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class DraftRequest:
    """The tags to draft for a photo, and what must not have changed if it goes, or would go."""

    tags: TagRequest
    check: UserMetadataCheck | None = None


def possible_sidecars(place: RootedPath) -> list[RootedPath]:
    """Where the XMP sidecar of a photo may be: `a.jpg.xmp` and `a.xmp`, as far as files can have these names."""
    name = place.relative.name
    return [place.beside(each) for each in (f"{name}.xmp", f"{PurePath(name).stem}.xmp") if fits(each)]
