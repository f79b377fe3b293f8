"""The requests to a worker process, each with the type of its answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol

from culld.tags.names import fits

if TYPE_CHECKING:
    from pathlib import Path

    from culld.errors import PhotoError
    from culld.inference.deferred import Deferred
    from culld.inference.gpu_process import Address
    from culld.records import Assessment, FileSnapshot, Photo, ReadFailure, RootedPath, Subject, UserMetadata
    from culld.tags.draft import TagDraft, TagRequest


class PhotoHandler(Protocol):
    """The handler of the requests in a worker process: see `worker.PhotoWorker`."""

    def read(self, request: ReadRequest) -> Photo | Assessment | ReadFailure:
        """Read a file, and score it unless its digest is among those that were judged before."""

    def begin(self, request: ReadRequest) -> Photo | Assessment | ReadFailure | Deferred[Assessment]:
        """Read a file as `read` does, but return an assessment that lacks its scores without waiting for them."""

    def clip_seconds(self, request: ClipRequest) -> float:
        """Return how many seconds a clip may take."""

    def read_clip(self, request: ClipRequest) -> Photo | Assessment | ReadFailure:
        """Read a clip, and judge it unless its digest is among those that were judged before."""

    def user_metadata(self, request: UserMetadataRequest) -> UserMetadata | PhotoError:
        """Read the user metadata of a shot."""

    def compare(self, request: SharpnessRequest) -> tuple[Subject, ...] | PhotoError:
        """Compare the sharpness of the frames of a burst."""

    def draft(self, request: DraftRequest) -> TagDraft | PhotoError:
        """Return the byte edits that tag a photo."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """The model's file and id, and the size limits of a photo in pixels and in bytes.

    `engine` is the address of the GPU process, if there is one. `faces` is the folder of the networks that judge
    subjects; None: no subject is looked for. `seconds` is the usual time for one photo. `segment` is the folder of the
    segmentation network; None: there is none.
    """

    model: Path
    model_id: str
    pixels: int
    file_size: int
    engine: Address | None = None
    faces: Path | None = None
    seconds: float = 60.0
    segment: Path | None = None


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A settled file to read, and the digests of the contents at its path that were judged before.

    With `measure` its sharpness in full resolution is measured as well, with `segment` its regions are found.
    """

    snapshot: FileSnapshot
    judged: frozenset[str] = frozenset()
    measure: bool = False
    segment: bool = False

    def handle(self, handler: PhotoHandler) -> Photo | Assessment | ReadFailure:
        """Return the photo, its assessment if it is new, or the failure."""
        return handler.read(self)

    def begin(self, handler: PhotoHandler) -> Photo | Assessment | ReadFailure | Deferred[Assessment]:
        """Return the same, or an assessment that waits for the network."""
        return handler.begin(self)


@dataclass(frozen=True, slots=True)
class ClipRequest:
    """A settled clip to read, and the digests of the contents at its path that were judged before."""

    snapshot: FileSnapshot
    judged: frozenset[str] = frozenset()

    def seconds(self, handler: PhotoHandler) -> float:
        """Return how many seconds it may take."""
        return handler.clip_seconds(self)

    def handle(self, handler: PhotoHandler) -> Photo | Assessment | ReadFailure:
        """Return the clip, its assessment if it is new, or the failure."""
        return handler.read_clip(self)


@dataclass(frozen=True, slots=True)
class UserMetadataRequest:
    """The files that can hold user metadata of a shot: its photos and its XMP sidecars."""

    pictures: tuple[Photo, ...]
    sidecars: tuple[RootedPath, ...]

    def handle(self, handler: PhotoHandler) -> UserMetadata | PhotoError:
        """Return the user metadata, or the error that prevented reading it."""
        return handler.user_metadata(self)


@dataclass(frozen=True, slots=True)
class SharpnessRequest:
    """The frames of one burst, whose sharpness is to be compared in full resolution."""

    frames: tuple[Assessment, ...]

    def handle(self, handler: PhotoHandler) -> tuple[Subject, ...] | PhotoError:
        """Return the subject of each frame with its sharpness, or the error that prevented measuring it."""
        return handler.compare(self)


@dataclass(frozen=True, slots=True)
class UserMetadataCheck:
    """The user metadata of a shot at its decision, which must be the same when the tags are drafted.

    `names` are the file names in the folder of the shot at that time, casefolded: a sidecar not among them is new.
    """

    request: UserMetadataRequest
    expected: UserMetadata
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class DraftRequest:
    """The tags to draft for a photo.

    `check` holds the user metadata that must be unchanged; None for a photo that the policy keeps.
    """

    tags: TagRequest
    check: UserMetadataCheck | None = None

    def handle(self, handler: PhotoHandler) -> TagDraft | PhotoError:
        """Return the draft, or the error that prevented it."""
        return handler.draft(self)


def possible_sidecars(place: RootedPath) -> list[RootedPath]:
    """Return the possible sidecar paths of a photo: `a.jpg.xmp` and `a.xmp`, without names that are too long."""
    name = place.relative.name
    return [place.beside(each) for each in (f"{name}.xmp", f"{PurePath(name).stem}.xmp") if fits(each)]
