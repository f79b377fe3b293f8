"""The regions of a photo with a defect for the review page, made in its workers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from culld.app.model_files import locate_shipped
from culld.app.segment_messages import SegmentSettings
from culld.errors import PhotoError, SystemFaultError
from culld.inference.card import read_card

if TYPE_CHECKING:
    from culld.app.segment_messages import PhotoRegions
    from culld.app.segment_worker import SegmentWorker
    from culld.records import RootedPath

_MODEL = "segment"


class RegionsMaker(Protocol):
    """Segments photos in a worker process; made there once by a function that can be pickled."""

    def regions(self, place: RootedPath) -> bytes:
        """Return the regions of the photo at a path as JSON; raises PhotoError if it cannot be segmented."""


@dataclass(frozen=True, slots=True)
class SegmentMaker:
    """A `RegionsMaker` by the segmentation network."""

    worker: SegmentWorker

    def regions(self, place: RootedPath) -> bytes:
        """Return the regions of a photo as JSON; raises PhotoError."""
        return json.dumps(drawn_json(self.worker.regions(place)), separators=(",", ":")).encode()


def create_regions(pixels: int, file_size: int) -> RegionsMaker:
    """Return the maker of a worker process; raises PhotoError."""
    from culld.app.segment_worker import SegmentWorker  # noqa: PLC0415 (loads the network; only in a worker)

    try:
        return SegmentMaker(SegmentWorker(SegmentSettings(locate_shipped(_MODEL), pixels, file_size)))
    except SystemFaultError as error:
        raise PhotoError(str(error)) from error


def network_digest() -> str:
    """Return the first digits of the digest of the segmentation network; empty if there is none."""
    try:
        return read_card(locate_shipped(_MODEL)).digest[:12]
    except SystemFaultError:
        return ""


def drawn_json(found: PhotoRegions) -> dict[str, object]:
    """Return the classes of the legend, the largest first, each with its line, its colour and its outlines.

    An outline is a list of corners x, y in whole px of the upright photo.
    """
    from culld.segment.picture import COLOURS, entry, present  # noqa: PLC0415 (only a worker loads Pillow)

    classes = [
        {
            "class": kind,
            "text": entry(kind, share),
            "colour": "#{:02x}{:02x}{:02x}".format(*COLOURS[kind]),
            "share": round(share, 4),
            "polygons": [[[round(x), round(y)] for x, y in each.points] for each in found.polygons.get(kind, ())],
        }
        for kind, share in present(found.shares)
    ]
    size = {"width": found.width, "height": found.height}
    return {"model": found.model, **size, "sentence": found.sentence, "classes": classes}
