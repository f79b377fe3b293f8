"""The request to the worker process of `culld segment`, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from culld.errors import PhotoError
    from culld.records import RootedPath
    from culld.records.regions import RegionClass


class SegmentHandler(Protocol):
    """The handler of the requests in a worker process: see `segment_worker.SegmentWorker`."""

    def segment(self, request: SegmentRequest) -> PhotoRegions | PhotoError:
        """Segment a photo."""


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """The folder of the segmentation network, and the limits of a photo."""

    model: Path
    pixels: int
    file_size: int


@dataclass(frozen=True, slots=True)
class SegmentRequest:
    """The photo to segment."""

    place: RootedPath

    def handle(self, handler: SegmentHandler) -> PhotoRegions | PhotoError:
        """Return the regions, or the error that prevented it."""
        return handler.segment(self)


@dataclass(frozen=True, slots=True)
class Polygon:
    """The outline of a region, or of a hole in one: corners x and y in px of the upright photo."""

    points: tuple[tuple[float, float], ...]
    is_hole: bool


@dataclass(frozen=True, slots=True)
class PhotoRegions:
    """The regions of a photo.

    `width` and `height` are those of the upright photo in px, `model` is the id of the network. `shares` has the share
    of the frame of each class, 0..1, `polygons` the outlines of each class but `fine`. `picture` is a PNG; empty if
    none was asked for.
    """

    model: str
    width: int
    height: int
    sentence: str
    shares: dict[RegionClass, float]
    polygons: dict[RegionClass, tuple[Polygon, ...]]
    picture: bytes
