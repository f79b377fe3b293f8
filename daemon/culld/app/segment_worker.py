"""The handler in the worker process of `culld segment`: it decodes a photo, segments it, and draws the picture."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from culld.app.segment_messages import PhotoRegions, Polygon
from culld.errors import PhotoError
from culld.files.open_beneath import open_regular
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.imaging.image_file import DecodeLimits, UnreadableError
from culld.inference.card import read_card
from culld.inference.litert import silence_stderr
from culld.segment.frame import frame_of
from culld.segment.masks import Segmenter
from culld.segment.outline import rings
from culld.segment.picture import COLOURS, picture, sentence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from culld.app.segment_messages import SegmentRequest, SegmentSettings
    from culld.records import RootedPath
    from culld.segment.outline import Ring

    Pixels = NDArray[np.uint8]


class SegmentWorker:
    """The `SegmentHandler` of the worker process; not to be shared between threads."""

    def __init__(self, settings: SegmentSettings) -> None:
        """Load the network; raises SystemFaultError if it cannot be used."""
        self._settings = settings
        self._limits = DecodeLimits(settings.pixels)
        with silence_stderr():
            self._segmenter = Segmenter.open(settings.model)
        self._id = read_card(settings.model).id

    def segment(self, request: SegmentRequest) -> PhotoRegions | PhotoError:
        """Segment a photo; a PhotoError is returned, not raised, to reach the caller."""
        try:
            return self.regions(request.place, with_picture=True)
        except PhotoError as error:
            return error

    def regions(self, place: RootedPath, *, with_picture: bool = False) -> PhotoRegions:
        """Return the regions of a photo; raises PhotoError."""
        try:
            pixels, size = self._decoded(place)
        except UnreadableError as error:
            raise PhotoError(str(error)) from error
        return self._regions(pixels, size, with_picture=with_picture)

    def _decoded(self, place: RootedPath) -> tuple[Pixels, tuple[int, int]]:
        """Return the frame of a photo, and the (width, height) of the upright photo; of a RAW those of its preview."""
        with open_regular(place) as stream:
            data = stream.read(self._settings.file_size + 1)
        if len(data) > self._settings.file_size:
            raise PhotoError("larger than limits.file_size allows")
        format_ = recognise(data[:HEAD_BYTES], place.relative.name)
        return frame_of(io.BytesIO(data), format_, self._limits)

    def _regions(self, pixels: Pixels, size: tuple[int, int], *, with_picture: bool) -> PhotoRegions:
        found = self._segmenter.segment(pixels)
        outlines = {kind: rings(found.masks[kind]) for kind in COLOURS}
        scale = size[0] / pixels.shape[1], size[1] / pixels.shape[0]
        return PhotoRegions(
            self._id,
            *size,
            sentence(found.shares),
            found.shares,
            {kind: tuple(_polygon(ring, scale) for ring in each) for kind, each in outlines.items()},
            picture(pixels, outlines, found.shares) if with_picture else b"",
        )


def _polygon(ring: Ring, scale: tuple[float, float]) -> Polygon:
    points = ring.points * scale
    return Polygon(tuple((round(float(x), 1), round(float(y), 1)) for x, y in points), ring.is_hole)
