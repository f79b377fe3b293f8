"""What a worker process can do with a photo: read and score it, draft its tags.

All untrusted bytes (pictures, EXIF, XML) are parsed here and nowhere else. Nothing here writes a file: a draft of tags
is a handful of byte edits, which the daemon applies and proves by their digests.
"""

from __future__ import annotations

import contextlib
import io
import os
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from culld.errors import PhotoChangedError, PhotoError
from culld.files.open_beneath import digest_of, exists, open_regular
from culld.files.os_errors import translate_errors
from culld.imaging.decode import DecodeLimits
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
    UserMetadataSources,
)
from culld.retry import RETRY_AFTER, TOO_LARGE_RETRY_AFTER
from culld.stages.read.assess import exif_of, score_photo
from culld.stages.read.completeness import missing_part
from culld.stages.read.exif_facts import camera_facts, exif_rating, keyword_block
from culld.stages.read.external_metadata import external_user_metadata
from culld.stages.read.messages import possible_sidecars
from culld.stages.read.scoring import DEFECT_NETWORK, open_litert
from culld.tags.draft import TagDraft, draft
from culld.tags.user_metadata import packets_in, together, user_metadata_in

if TYPE_CHECKING:
    from collections.abc import Collection

    from culld.inference.network import Network
    from culld.records import RootedPath
    from culld.stages.read.messages import (
        DraftRequest,
        ReadRequest,
        UserMetadataCheck,
        UserMetadataRequest,
        WorkerSettings,
    )

MAX_XMP_SCAN = 64 << 20
"""So many bytes of a file are searched for XMP, which stands at the front of all but the strangest."""
MAX_HELD_BYTES = 64 << 20
"""Files up to so many bytes are held in memory while they are judged."""


class PhotoWorker:
    """What answers requests in one worker process."""

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
        """Identity, digest and camera facts of a settled file; its scores and what people did for it, if it is new.

        All of that is read from the same bytes: a file is read once, unless it is too large to be held in memory.
        """
        file = request.snapshot
        if file.stamp.size > self._settings.file_size:
            return ReadFailure(file, "larger than limits.file_size allows", TOO_LARGE_RETRY_AFTER)
        try:
            with open_regular(file.place) as stream:
                _require_unchanged(file.stamp, stream)
                held = io.BytesIO(stream.read(MAX_HELD_BYTES + 1)) if file.stamp.size <= MAX_HELD_BYTES else stream
                _require_unchanged(file.stamp, stream)
                return self._read(file, held, request.judged)
        except PhotoError as error:
            return ReadFailure(file, str(error), RETRY_AFTER)

    def _read(self, file: FileSnapshot, stream: BinaryIO, judged: Collection[str]) -> Photo | Assessment:
        digest = digest_of(stream)
        stream.seek(0)
        format_ = recognise(stream.read(HEAD_BYTES), file.place.relative.name)
        exif = exif_of(stream, format_, self._limits)
        photo = Photo(file.place, file.stamp, digest, format_, camera_facts(exif))
        if digest in judged:
            return photo
        found = self._assess(photo, stream)
        return replace(found, user_metadata=self._sources(found, stream, exif))

    def _assess(self, photo: Photo, stream: BinaryIO) -> Assessment:
        """Decode a photo and ask the network."""
        found = score_photo(stream, photo.format, self._network, self._limits)
        return Assessment(photo, found.result, self._settings.model_id, found.dhash, found.missing_part)

    def _sources(self, found: Assessment, stream: BinaryIO, exif: bytes) -> UserMetadataSources | None:
        """What people did for a photo; None if that cannot be read: it is read again before the photo is moved."""
        place = found.photo.place
        try:
            own = replace(_own_metadata(found.photo, stream, exif), incomplete=found.missing_part)
        except PhotoError:
            return None
        sidecars = []
        for sidecar in possible_sidecars(place):
            with contextlib.suppress(PhotoError):  # most photos have none; one that cannot be read is read again
                sidecars.append((sidecar, user_metadata_in([_head(sidecar)])))
        return UserMetadataSources(own, tuple(sidecars))

    def user_metadata(self, request: UserMetadataRequest) -> UserMetadata | PhotoError:
        """What people have done for a shot by now; an error is returned, for it has to cross the process border."""
        try:
            own = [self._user_metadata_of(photo) for photo in request.pictures]
            return together([*own, *(user_metadata_in([_head(place)]) for place in request.sidecars)])
        except PhotoError as error:
            return error

    def _user_metadata_of(self, photo: Photo) -> UserMetadata:
        with open_regular(photo.place) as stream, translate_errors(photo.place.path, "read"):
            own = _own_metadata(photo, stream, exif_of(stream, photo.format, self._limits))
            return replace(own, incomplete=missing_part(stream, photo.format))

    def draft(self, request: DraftRequest) -> TagDraft | PhotoError:
        """The byte edits that tag a photo; an error is returned, for it has to cross the process border.

        The bytes of a photo that lacks a part are left alone: a program may still be writing it. A PhotoChangedError
        says that people did something for a photo after it was decided about.
        """
        tags = request.tags
        try:
            if request.check is not None:
                self._require_same_metadata(request.check)
            lacks = _missing_part(tags.photo, tags.format) if tags.embed else ""
            drafted = draft(replace(tags, embed=tags.embed and not lacks), self._bytes_of, keyword_block)
        except PhotoError as error:
            return error
        if not lacks:
            return drafted
        return replace(
            drafted, notes=(f"the photo itself was left alone: a part of it is missing: {lacks}", *drafted.notes)
        )

    def _require_same_metadata(self, check: UserMetadataCheck) -> None:
        found = self.user_metadata(check.request)
        if isinstance(found, PhotoError):
            raise found
        places = [place for photo in check.request.pictures for place in possible_sidecars(photo.place)]
        is_new = any(place.relative.name.casefold() not in check.names and exists(place) for place in places)
        if is_new or found != check.expected:
            raise PhotoChangedError("its ratings or edits changed after it was judged; it will be judged again")

    def _bytes_of(self, place: RootedPath) -> bytes | None:
        """The bytes of a file, None if it is not there."""
        if not exists(place):
            return None
        with open_regular(place) as stream:
            return stream.read(self._settings.file_size + 1)


def _own_metadata(photo: Photo, stream: BinaryIO, exif: bytes) -> UserMetadata:
    """What people did for a photo as its own bytes and the files of programs that keep no XMP tell it.

    A RAW has its rating in XMP, if anywhere.
    """
    stream.seek(0)
    packets = packets_in(stream.read(MAX_XMP_SCAN))
    stars = () if photo.format is Format.RAW else exif_rating(exif)
    in_exif = UserMetadata(filled_flags=frozenset({RejectFlag.RATING} if stars else ()), stars=stars)
    return together([user_metadata_in(packets), in_exif, external_user_metadata(photo.place)])


def _head(place: RootedPath) -> bytes:
    with open_regular(place) as stream, translate_errors(place.path, "read"):
        return stream.read(MAX_XMP_SCAN)


def _missing_part(place: RootedPath, format_: Format) -> str:
    """What a file lacks by its own structure; empty if nothing."""
    with open_regular(place) as stream, translate_errors(place.path, "read"):
        return missing_part(stream, format_)


def _require_unchanged(stamp: FileStat, stream: BinaryIO) -> None:
    if FileStat.of(os.fstat(stream.fileno())) != stamp:
        raise PhotoChangedError("it changed while it was being read; it will be looked at again")
