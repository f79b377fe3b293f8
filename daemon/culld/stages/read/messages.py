"""What the desk in a worker process is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from culld.inference.gpu_process import Address
    from culld.records import FileSnapshot, Photo, RootedPath


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
