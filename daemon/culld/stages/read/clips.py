"""Clips in a worker process: their digest, what is judged of them, and how long that may take."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from culld.errors import PhotoError
from culld.files.open_beneath import digest_of, open_regular
from culld.files.os_errors import translate_errors
from culld.imaging.clip_reader import open_clip
from culld.imaging.decode import frame_of
from culld.imaging.image_file import UnreadableError
from culld.imaging.live_photo import is_live_photo_movie
from culld.records import Assessment, Format, Photo, Scores, Unreadable
from culld.segment.clips.judge import scores_of
from culld.segment.clips.judged_clip import judged_clip
from culld.stages.read.scoring import score
from culld.tags.clip_metadata import metadata_part
from culld.tags.draft import draft

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    import numpy as np
    from numpy.typing import NDArray

    from culld.imaging.image_file import DecodeLimits
    from culld.inference.network import Network
    from culld.records import FileSnapshot, RootedPath
    from culld.stages.read.messages import ClipRequest
    from culld.tags.draft import TagDraft, TagRequest

_PATIENCE: Final = 4.0
"""Seconds for each second of a clip: two samples of it are judged, at 8 a second or more where nothing else runs."""
_SLOWEST_DISK: Final = 10e6
"""Bytes a second, for the digest."""
_LOWEST_RATE: Final = 10e3
"""Bytes a second of the smallest clips: a file that claims more seconds than it can hold gets no more time."""
_NOT_JUDGED: Final = Scores(0.0, 0.0, 0.0)


def seconds_for(file: FileSnapshot, limits: DecodeLimits, usual: float) -> float:
    """Return how many seconds a clip may take, by its length and its size; `usual` if it cannot be opened."""
    size = file.stamp.size
    try:
        with open_regular(file.place) as stream, open_clip(stream, limits) as clip:
            length = min(max(clip.facts.seconds, 0.0), size / _LOWEST_RATE)
    except PhotoError:
        return usual
    return usual + _PATIENCE * length + size / _SLOWEST_DISK


def draft_of_clip(tags: TagRequest, read: Callable[[RootedPath], bytes | None]) -> TagDraft:
    """Return the edits of the sidecar of a clip; of the clip itself only the metadata are read, and none are written.

    Its digest is not taken again: the stamp is checked when the edits are made. `read` returns the bytes of a sidecar.
    """
    with open_regular(tags.photo) as stream, translate_errors(tags.photo.path, "read"):
        part = metadata_part(stream)
    known = replace(tags, embed=False, digest=hashlib.sha256(part).hexdigest())
    return draft(known, lambda place: part if place == tags.photo else read(place))


@dataclass(frozen=True, slots=True)
class ClipScorer:
    """Judges clips with the defect network; `model_id` identifies it."""

    network: Network
    model_id: str
    limits: DecodeLimits

    def read(self, request: ClipRequest, stream: BinaryIO) -> Photo | Assessment:
        """Return the digest of a clip, and its assessment without user metadata if it is new; memory stays bounded."""
        file = request.snapshot
        with translate_errors(file.place.path, "read"):
            stream.seek(0)
            photo = Photo(file.place, file.stamp, digest_of(stream), Format.VIDEO)
            if photo.digest in request.judged:
                return photo
            stream.seek(0)
            if is_live_photo_movie(stream):
                return Assessment(photo, _NOT_JUDGED, self.model_id, is_live_movie=True)
        try:
            found = judged_clip(stream, self._score, self.limits)
        except UnreadableError as error:
            return Assessment(photo, Unreadable(str(error)), self.model_id)
        facts = found.facts
        return Assessment(
            photo,
            scores_of(found),
            self.model_id,
            full_size=(facts.width, facts.height),
            clip=replace(found, samples=(), shares=dict(found.shares)),
        )

    def _score(self, pixels: NDArray[np.uint8]) -> Scores:
        return score(self.network, frame_of(pixels))
