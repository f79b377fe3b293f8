"""The requests to a worker process, each with the answer that it gets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol

from culld.tags.names import fits

if TYPE_CHECKING:
    from pathlib import Path

    from culld.errors import PhotoError
    from culld.inference.gpu_process import Address
    from culld.records import Assessment, FileSnapshot, Photo, ReadFailure, RootedPath, UserMetadata
    from culld.tags.draft import TagDraft, TagRequest


class PhotoHandler(Protocol):
    """What a worker process does with the requests: see `worker.PhotoWorker`."""

    def read(self, request: ReadRequest) -> Photo | Assessment | ReadFailure:
        """Read a file, and score it unless its content was judged before."""

    def user_metadata(self, request: UserMetadataRequest) -> UserMetadata | PhotoError:
        """Read what people have done for a shot."""

    def draft(self, request: DraftRequest) -> TagDraft | PhotoError:
        """Make the byte edits that tag a photo."""


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

    snapshot: FileSnapshot
    judged: frozenset[str] = frozenset()

    def handle(self, handler: PhotoHandler) -> Photo | Assessment | ReadFailure:
        """Return what the worker reads."""
        return handler.read(self)


@dataclass(frozen=True, slots=True)
class UserMetadataRequest:
    """The files that may tell what people have done for a shot: its pictures, and its XMP sidecars."""

    pictures: tuple[Photo, ...]
    sidecars: tuple[RootedPath, ...]

    def handle(self, handler: PhotoHandler) -> UserMetadata | PhotoError:
        """Return what the worker finds."""
        return handler.user_metadata(self)


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

    def handle(self, handler: PhotoHandler) -> TagDraft | PhotoError:
        """Return the worker's draft."""
        return handler.draft(self)


def possible_sidecars(place: RootedPath) -> list[RootedPath]:
    """Where the XMP sidecar of a photo may be: `a.jpg.xmp` and `a.xmp`, as far as files can have these names."""
    name = place.relative.name
    return [place.beside(each) for each in (f"{name}.xmp", f"{PurePath(name).stem}.xmp") if fits(each)]
