"""The regions of a photo, for the rules of a policy that name them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, BinaryIO

from culld.errors import SystemFaultError
from culld.imaging.image_file import DecodeLimits, UnreadableError
from culld.inference.litert import silence_stderr
from culld.segment.facts import facts_of
from culld.segment.frame import frame_of
from culld.segment.masks import Segmenter

if TYPE_CHECKING:
    from pathlib import Path

    from culld.records import Format
    from culld.records.regions import Regions

log = logging.getLogger(__name__)


class RegionFinder:
    """Finds the regions of photos; the network is loaded for the first one, since few policies need it."""

    def __init__(self, model: Path | None, limits: DecodeLimits) -> None:
        """Take the folder of the segmentation network; None: there is none."""
        self._model = model
        self._limits = limits
        self._segmenter: Segmenter | None = None

    def find(self, stream: BinaryIO, format_: Format) -> Regions | None:
        """Return how much of a photo has which defect; None if there is no network, or the photo cannot be decoded."""
        segmenter = self._opened()
        if segmenter is None:
            return None
        try:
            pixels, _ = frame_of(stream, format_, self._limits)
        except UnreadableError:  # its assessment has the reason
            return None
        return facts_of(segmenter.segment(pixels), pixels)

    def _opened(self) -> Segmenter | None:
        if self._segmenter is None and self._model is not None:
            try:
                with silence_stderr():
                    self._segmenter = Segmenter.open(self._model)
            except SystemFaultError as error:
                log.warning("share_blur, share_clipped and subject_sharp are not known: %s", error)
                self._model = None
        return self._segmenter
