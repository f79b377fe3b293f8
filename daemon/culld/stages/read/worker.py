"""What a worker process can do with a photo: read and score it, draft its tags.

All untrusted bytes (pictures, EXIF, XML) are parsed in worker processes and nowhere else. Nothing here writes a file:
a draft of tags is a handful of byte edits, which the daemon applies and proves by their digests.
"""

from __future__ import annotations

import io
import os
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO

from culld.errors import PhotoChangedError, PhotoError
from culld.files.open_beneath import digest_of, exists, open_regular
from culld.files.os_errors import translate_errors
from culld.imaging.decode import DecodeLimits, UnreadableError, embedded_exif
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.inference.gpu_client import GpuClient
from culld.inference.litert import silence_stderr
from culld.records import (
    Assessment,
    FileSnapshot,
    FileStat,
    Format,
    Photo,
    ReadFailure,
    RejectFlag,
    UserMetadata,
)
from culld.stages.read.assess import exif_of, score_photo
from culld.stages.read.exif_facts import camera_facts, exif_rating, keyword_block
from culld.stages.read.extent import missing_part
from culld.stages.read.external_metadata import external_user_metadata
from culld.stages.read.scoring import DEFECT_NETWORK, open_litert
from culld.tags.draft import TagDraft, draft
from culld.tags.user_metadata import packets_in, together, user_metadata_in

if TYPE_CHECKING:
    from culld.inference.network import Network
    from culld.records import RootedPath
    from culld.stages.read.messages import DraftRequest, ReadRequest, UserMetadataRequest, WorkerSettings

_RETRY_AFTER = timedelta(minutes=1)
_TOO_LARGE_RETRY_AFTER = timedelta(days=1)
MAX_XMP_SCAN = 64 << 20
"""So many bytes of a file are searched for XMP, which stands at the front of all but the strangest."""
MAX_HELD_BYTES = 64 << 20
"""Files up to so many bytes are held in memory while they are judged."""


class PhotoWorker:
    """The desk of one worker process."""

    def __init__(self, settings: WorkerSettings) -> None:
        """Load the network, or find the process that has it, and make ready to decode."""
        self._settings = settings
        self._limits = DecodeLimits(settings.pixels)
        self._network: Network = (
            self._own_network()
            if settings.engine is None
            else GpuClient(settings.engine, DEFECT_NETWORK, self._own_network)
        )

    def _own_network(self) -> Network:
        with silence_stderr():
            return open_litert(self._settings.model)

    def read(self, request: ReadRequest) -> Photo | Assessment | ReadFailure:
        """Identity, digest and camera facts of a settled file; and, if it was not judged, what the network says of it.

        All of that is said of the same bytes: a file is read once, unless it is too large to be held in memory.
        """
        sighting = request.sighting
        if sighting.stamp.size > self._settings.file_size:
            return ReadFailure(sighting, "larger than limits.file_size allows", _TOO_LARGE_RETRY_AFTER)
        try:
            with open_regular(sighting.place) as stream:
                _require_unchanged(sighting.stamp, stream)
                held = io.BytesIO(stream.read(MAX_HELD_BYTES + 1)) if sighting.stamp.size <= MAX_HELD_BYTES else stream
                _require_unchanged(sighting.stamp, stream)
                photo = self._identify(sighting, held)
                return photo if photo.digest in request.judged else self._assess(photo, held)
        except PhotoError as error:
            return ReadFailure(sighting, str(error), _RETRY_AFTER)

    def _identify(self, sighting: FileSnapshot, stream: BinaryIO) -> Photo:
        digest = digest_of(stream)
        stream.seek(0)
        format_ = recognise(stream.read(HEAD_BYTES), sighting.place.relative.name)
        return Photo(
            sighting.place, sighting.stamp, digest, format_, camera_facts(exif_of(stream, format_, self._limits))
        )

    def _assess(self, photo: Photo, stream: BinaryIO) -> Assessment:
        """Decode a photo and ask the network."""
        found = score_photo(stream, photo.format, self._network, self._limits)
        return Assessment(photo, found.result, self._settings.model_id, found.dhash, found.missing_part)

    def user_metadata(self, request: UserMetadataRequest) -> UserMetadata | PhotoError:
        """What people have done for a shot; an error is returned, for it has to cross the process border."""
        try:
            packets = [packet for photo in request.pictures for packet in packets_in(self._head(photo.place))]
            sidecars = [self._head(place) for place in request.sidecars]
            in_exif = [self._ratings(photo) for photo in request.pictures]
            outside = [external_user_metadata(photo.place) for photo in request.pictures]
            lacks = next(
                (lacks for photo in request.pictures if (lacks := _missing_part(photo.place, photo.format))), ""
            )
        except PhotoError as error:
            return error
        care = together([user_metadata_in([*packets, *sidecars]), *in_exif, *outside])
        return replace(care, incomplete=lacks)

    def draft(self, request: DraftRequest) -> TagDraft | PhotoError:
        """The byte edits that tag a photo; an error is returned, for it has to cross the process border.

        The bytes of a photo that lacks a part are left alone: a program may still be writing it.
        """
        tags = request.tags
        try:
            lacks = _missing_part(tags.photo, tags.format) if tags.embed else ""
            drafted = draft(replace(tags, embed=tags.embed and not lacks), self._read, keyword_block)
        except PhotoError as error:
            return error
        if not lacks:
            return drafted
        return replace(
            drafted, notes=(f"the photo itself was left alone: a part of it is missing: {lacks}", *drafted.notes)
        )

    def _ratings(self, photo: Photo) -> UserMetadata:
        with open_regular(photo.place) as stream:
            try:
                ratings = exif_rating(embedded_exif(stream, photo.format, self._limits))
            except UnreadableError:  # a RAW, say, whose rating stands in XMP if anywhere
                return UserMetadata()
        return UserMetadata(filled_flags=frozenset({RejectFlag.RATING} if ratings else ()), stars=ratings)

    def _head(self, place: RootedPath) -> bytes:
        with open_regular(place) as stream:
            return stream.read(MAX_XMP_SCAN)

    def _read(self, place: RootedPath) -> bytes | None:
        """The bytes of a file, None if it is not there."""
        if not exists(place):
            return None
        with open_regular(place) as stream:
            return stream.read(self._settings.file_size + 1)


def _missing_part(place: RootedPath, format_: Format) -> str:
    """What a file lacks by its own structure; empty if nothing."""
    with open_regular(place) as stream, translate_errors(place.path, "read"):
        return missing_part(stream, format_)


def _require_unchanged(stamp: FileStat, stream: BinaryIO) -> None:
    if FileStat.of(os.fstat(stream.fileno())) != stamp:
        raise PhotoChangedError("it changed while it was being read; it will be looked at again")
