"""The requests to the worker process that segments a clip, and its answers; the clip is sent in parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from culld.errors import PhotoError
    from culld.imaging.clip_writer import Piece
    from culld.records import RootedPath
    from culld.records.regions import RegionClass


class SegmentClipHandler(Protocol):
    """The handler of the requests in a worker process: see `segment_clip_worker.SegmentClipWorker`."""

    def begin(self, request: BeginClip) -> ClipPart | PhotoError:
        """Open a clip, and segment its first frames."""

    def go_on(self) -> ClipPart | PhotoError:
        """Segment the next frames of the clip that was begun."""


@dataclass(frozen=True, slots=True)
class SegmentClipSettings:
    """The folder of the segmentation network, and the largest frame in pixels."""

    model: Path
    pixels: int


@dataclass(frozen=True, slots=True)
class BeginClip:
    """The clip to segment; without `with_overlay` the answers have no bytes of a file."""

    place: RootedPath
    with_overlay: bool

    def handle(self, handler: SegmentClipHandler) -> ClipPart | PhotoError:
        """Return the first part, or the error that prevented it."""
        return handler.begin(self)


@dataclass(frozen=True, slots=True)
class GoOn:
    """The wish for the next part of the clip that was begun."""

    def handle(self, handler: SegmentClipHandler) -> ClipPart | PhotoError:
        """Return the next part, or the error that prevented it."""
        return handler.go_on()


@dataclass(frozen=True, slots=True)
class ClipPart:
    """Bytes of the overlay, in the order in which they are to be written; later ones may lie over earlier ones.

    `done` is the share of the clip that is segmented, 0..1. `regions` is None until the last part.
    """

    pieces: tuple[Piece, ...]
    done: float
    regions: ClipRegions | None = None


@dataclass(frozen=True, slots=True)
class ClipRegions:
    """The regions of a clip over its time.

    `model` is the id of the network. `width` and `height` are those of the upright frame in px, `seconds` is the
    duration. `shares` has the share of the frame of each class, 0..1, as its mean over the time, `ranges` the ranges of
    time, (start, end) in seconds, in which a class but `fine` is there.
    """

    model: str
    width: int
    height: int
    seconds: float
    frames: int
    sentence: str
    shares: Mapping[RegionClass, float]
    ranges: Mapping[RegionClass, tuple[tuple[float, float], ...]]
