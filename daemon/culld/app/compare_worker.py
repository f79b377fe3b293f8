"""The handler in the worker process of `culld compare`: it decodes two photos, compares them, and draws the picture."""

from __future__ import annotations

import io
import math
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from culld.app.compare_messages import Comparison, Laid
from culld.compare.difference import compare
from culld.compare.picture import picture
from culld.compare.registry import entry, open_model
from culld.compare.sentence import sentence
from culld.errors import PhotoError
from culld.files.open_beneath import open_regular
from culld.imaging.align import NotComparable
from culld.imaging.decode import decode_upright
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.imaging.image_file import DecodeLimits
from culld.imaging.raw import open_raw
from culld.records import Format

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from culld.app.compare_messages import CompareRequest, CompareSettings, Source
    from culld.compare.difference import Difference

Data = TypeVar("Data")


class CompareWorker:
    """The `CompareHandler` of the worker process; not to be shared between threads."""

    def __init__(self, settings: CompareSettings) -> None:
        """Load the model of change; raises SystemFaultError if it is not trained, ConfigError if it is unknown."""
        self._settings = settings
        self._limits = DecodeLimits(settings.pixels)
        self._model = open_model(entry(settings.model))

    def compare(self, request: CompareRequest) -> Comparison | PhotoError:
        """Compare two photos; a PhotoError is returned, not raised, to reach the caller."""
        try:
            first, second = self._pixels(request)
        except PhotoError as error:
            return error
        found = compare(first, second, self._model)
        if isinstance(found, NotComparable):
            return Comparison(self._settings.model, found.reason, reason=found.reason)
        return self._comparison(found, request)

    def _pixels(self, request: CompareRequest) -> list[NDArray[np.uint8]]:
        """Decode both photos at the same time; raises PhotoError with the name of the one that cannot be read."""
        with ThreadPoolExecutor(2) as threads:
            sources = (request.first, request.second)
            return list(threads.map(self._decoded, sources, request.names))

    def _decoded(self, source: Source, name: str) -> NDArray[np.uint8]:
        try:
            stream = io.BytesIO(self._bytes(source))
            format_ = recognise(stream.getvalue()[:HEAD_BYTES], name)
            if format_ is Format.RAW:
                with open_raw(stream, self._limits) as raw:
                    return raw.upright()
            return decode_upright(stream, format_, self._limits)
        except PhotoError as error:
            raise PhotoError(f"{name}: {error}") from error

    def _bytes(self, source: Source) -> bytes:
        if isinstance(source, bytes):
            return self._allowed(source, len(source))
        with open_regular(source) as stream:
            size = os.fstat(stream.fileno()).st_size
            # `read` reserves as many bytes as it is asked for: for two photos, limits.file_size would not fit.
            return self._allowed(stream, size).read(size)

    def _allowed(self, data: Data, size: int) -> Data:
        """Return data of this size in bytes; raises PhotoError if they are more than the limit allows."""
        if size > self._settings.file_size:
            raise PhotoError(f"{size} bytes are more than limits.file_size allows ({self._settings.file_size})")
        return data

    def _comparison(self, found: Difference, request: CompareRequest) -> Comparison:
        laid = found.alignment
        text = sentence(found, *request.names)
        return Comparison(
            model=self._settings.model,
            sentence=text,
            alignment=Laid(
                laid.method, laid.inliers, laid.ratio, laid.error_px, tuple(map(tuple, laid.matrix.tolist()))
            ),
            changed=found.changed,
            changed_where=tuple((each.where, each.share) for each in found.changed_where),
            sharpness_ratio=found.sharpness_ratio,
            sharper=found.sharper,
            sharper_where=tuple((each.where, each.frame, each.share) for each in found.sharper_where),
            exposure_ev=None if math.isnan(found.exposure_ev) else found.exposure_ev,
            picture=picture(found, request.names, text) if request.picture else b"",
        )
