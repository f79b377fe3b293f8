"""The handler in the worker process that judges clips: it decodes a clip as a stream, and scores its samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.errors import PhotoError
from culld.files.open_beneath import open_regular
from culld.imaging.decode import frame_of
from culld.imaging.image_file import DecodeLimits
from culld.inference.card import MODEL_FILE
from culld.inference.litert import silence_stderr
from culld.segment.clips.judged_clip import judged_clip
from culld.stages.read.scoring import open_litert, score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from culld.app.clip_messages import ClipRequest, ClipSettings
    from culld.records import Scores
    from culld.records.clips import ClipJudgement


class ClipWorker:
    """The `ClipHandler` of the worker process; not to be shared between threads."""

    def __init__(self, settings: ClipSettings) -> None:
        """Load the network; raises SystemFaultError if it cannot be used."""
        self._limits = DecodeLimits(settings.pixels)
        with silence_stderr():
            self._network = open_litert(settings.model / MODEL_FILE)

    def judge(self, request: ClipRequest) -> ClipJudgement | PhotoError:
        """Judge a clip; a PhotoError is returned, not raised, to reach the caller."""
        try:
            with open_regular(request.place) as stream:
                return judged_clip(stream, self._score, self._limits)
        except PhotoError as error:
            return PhotoError(str(error))

    def _score(self, pixels: NDArray[np.uint8]) -> Scores:
        return score(self._network, frame_of(pixels))
