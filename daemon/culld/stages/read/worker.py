"""The handler in a worker process: it reads and scores a photo, reads its user metadata, and drafts its tags.

The daemon parses untrusted bytes (pixels, EXIF, XML) in worker processes only. This module writes no file: a draft of
tags is a list of byte edits, which the daemon applies and verifies by their digests.
"""

from __future__ import annotations

import contextlib
import io
import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from culld.errors import PhotoChangedError, PhotoError
from culld.files.open_beneath import digest_of, exists, open_regular
from culld.files.os_errors import translate_errors
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.imaging.image_file import DecodeLimits
from culld.imaging.sharpness import sharpness_of
from culld.inference.deferred import Deferred
from culld.inference.gpu_client import GpuClient
from culld.inference.litert import silence_stderr
from culld.records import (
    Assessment,
    FileStat,
    Format,
    Photo,
    ReadFailure,
    Unreadable,
    UserMetadata,
    UserMetadataSources,
)
from culld.retry import RETRY_AFTER, TOO_LARGE_RETRY_AFTER
from culld.stages.read.assess import Score, Scorer, exif_of, look_at
from culld.stages.read.clips import ClipScorer, draft_of_clip, seconds_for
from culld.stages.read.completeness import missing_part
from culld.stages.read.exif_facts import camera_facts, keyword_block
from culld.stages.read.full_resolution import compare_frames, luma_of, with_sharpness
from culld.stages.read.messages import possible_sidecars
from culld.stages.read.own_metadata import head_of, own_metadata
from culld.stages.read.regions import RegionFinder
from culld.stages.read.scoring import DEFECT_NETWORK, inputs_of, open_litert, scores_in
from culld.subject.finder import SubjectFinder
from culld.tags.draft import TagDraft, draft
from culld.tags.user_metadata import together, user_metadata_in

if TYPE_CHECKING:
    from pathlib import Path

    from culld.inference.network import Arrays, Network
    from culld.records import RootedPath, Subject
    from culld.stages.read.assess import Unscored
    from culld.stages.read.messages import (
        ClipRequest,
        DraftRequest,
        ReadRequest,
        SharpnessRequest,
        UserMetadataCheck,
        UserMetadataRequest,
        WorkerSettings,
    )

MAX_HELD_BYTES = 64 << 20
"""The size in bytes up to which a file is held in memory while it is read and scored."""


class PhotoWorker:
    """The `PhotoHandler` of one worker process."""

    def __init__(self, settings: WorkerSettings) -> None:
        """Load the network, or connect to the GPU process if the settings name its address."""
        self._settings = settings
        self._limits = DecodeLimits(settings.pixels)
        self.gpu = None if settings.engine is None else GpuClient(settings.engine, DEFECT_NETWORK, self._own_network)
        network: Network = self._own_network() if self.gpu is None else self.gpu
        self._regions = RegionFinder(settings.segment, self._limits)
        self._scorer = Scorer(network) if settings.faces is None else _scorer(network, settings.faces)

    def _own_network(self) -> Network:
        with silence_stderr():
            return open_litert(self._settings.model)

    def read(self, request: ReadRequest) -> Photo | Assessment | ReadFailure:
        """Return the digest and camera facts of a settled file; with scores and user metadata if it is new."""
        begun = self.begin(request)
        return begun.complete(self._scorer.network) if isinstance(begun, Deferred) else begun

    def begin(self, request: ReadRequest) -> Photo | Assessment | ReadFailure | Deferred[Assessment]:
        """Return the same, but an assessment that lacks its scores without waiting for them.

        All of it comes from the same bytes: a file is read once, unless it is larger than `MAX_HELD_BYTES`.
        """
        file = request.snapshot
        if file.stamp.size > self._settings.file_size:
            return ReadFailure(file, "larger than limits.file_size allows", TOO_LARGE_RETRY_AFTER)
        try:
            with open_regular(file.place) as stream:
                _require_unchanged(file.stamp, stream)
                held = io.BytesIO(stream.read(MAX_HELD_BYTES + 1)) if file.stamp.size <= MAX_HELD_BYTES else stream
                _require_unchanged(file.stamp, stream)
                return self._begin(request, held)
        except PhotoError as error:
            return ReadFailure(file, str(error), RETRY_AFTER)

    def _begin(self, request: ReadRequest, stream: BinaryIO) -> Photo | Assessment | Deferred[Assessment]:
        file = request.snapshot
        digest = digest_of(stream)
        stream.seek(0)
        format_ = recognise(stream.read(HEAD_BYTES), file.place.relative.name)
        exif = exif_of(stream, format_, self._limits)
        photo = Photo(file.place, file.stamp, digest, format_, camera_facts(exif))
        if digest in request.judged:
            return photo
        found = self._look_at(photo, stream)
        if request.measure and not (isinstance(found, Score) and isinstance(found.result, Unreadable)):
            luma = luma_of(stream, format_, self._limits)
            found = replace(found, subject=with_sharpness(found.subject, sharpness_of(luma)))
        if request.segment:
            found = replace(found, regions=self._regions.find(stream, format_))
        sources = self._sources(photo, found.missing_part, stream, exif)
        if isinstance(found, Score):
            return self._assessment(photo, found, sources)
        return Deferred(inputs_of(found.frame), partial(self._finish, photo, found, sources))

    def clip_seconds(self, request: ClipRequest) -> float:
        """Return how many seconds a clip may take; the usual time if it cannot be opened."""
        return seconds_for(request.snapshot, self._limits, self._settings.seconds)

    def read_clip(self, request: ClipRequest) -> Photo | Assessment | ReadFailure:
        """Return the digest of a settled clip; with what was judged and its user metadata if it is new.

        `limits.file_size` does not hold for clips: they are never in memory as a whole.
        """
        file = request.snapshot
        try:
            with open_regular(file.place) as stream:
                _require_unchanged(file.stamp, stream)
                found = ClipScorer(self._scorer.network, self._settings.model_id, self._limits).read(request, stream)
                _require_unchanged(file.stamp, stream)
                if isinstance(found, Photo):
                    return found
                return replace(found, user_metadata=self._sources(found.photo, "", stream, b""))
        except PhotoError as error:
            return ReadFailure(file, str(error), RETRY_AFTER)

    def _look_at(self, photo: Photo, stream: BinaryIO) -> Unscored | Score:
        return look_at(stream, photo.format, self._scorer, self._limits)

    def _finish(
        self, photo: Photo, unscored: Unscored, sources: UserMetadataSources | None, outputs: Arrays
    ) -> Assessment:
        return self._assessment(photo, unscored.scored(scores_in(outputs)), sources)

    def _assessment(self, photo: Photo, found: Score, sources: UserMetadataSources | None) -> Assessment:
        return Assessment(
            photo,
            found.weighed(photo.camera.exposure.light_value).result,
            self._settings.model_id,
            found.dhash,
            found.missing_part,
            sources,
            found.subject,
            found.full_size,
            regions=found.regions,
        )

    def _sources(self, photo: Photo, missing: str, stream: BinaryIO, exif: bytes) -> UserMetadataSources | None:
        """Return the user metadata of a photo and its sidecars; None if that of the photo cannot be read."""
        place = photo.place
        try:
            own = replace(own_metadata(photo, stream, exif), incomplete=missing)
        except PhotoError:
            return None
        sidecars = []
        for sidecar in possible_sidecars(place):
            with contextlib.suppress(PhotoError):  # missing, or unreadable now: it is read again before a decision
                sidecars.append((sidecar, user_metadata_in([head_of(sidecar)])))
        return UserMetadataSources(own, tuple(sidecars))

    def compare(self, request: SharpnessRequest) -> tuple[Subject, ...] | PhotoError:
        """Compare the sharpness of the frames of a burst; a PhotoError is returned, not raised, to reach the daemon."""
        try:
            return compare_frames(request.frames, self._limits)
        except PhotoError as error:
            return error

    def user_metadata(self, request: UserMetadataRequest) -> UserMetadata | PhotoError:
        """Return the present user metadata of a shot; a PhotoError is returned, not raised, to reach the daemon."""
        try:
            own = [self._user_metadata_of(photo) for photo in request.pictures]
            return together([*own, *(user_metadata_in([head_of(place)]) for place in request.sidecars)])
        except PhotoError as error:
            return error

    def _user_metadata_of(self, photo: Photo) -> UserMetadata:
        with open_regular(photo.place) as stream, translate_errors(photo.place.path, "read"):
            own = own_metadata(photo, stream, exif_of(stream, photo.format, self._limits))
            return replace(own, incomplete=missing_part(stream, photo.format))

    def draft(self, request: DraftRequest) -> TagDraft | PhotoError:
        """Return the byte edits that tag a photo; a PhotoError is returned, not raised, to reach the daemon.

        A photo that lacks a part is not edited, because a program may still be writing it; its sidecar is. The error is
        a PhotoChangedError if the user metadata changed after the decision.
        """
        tags = request.tags
        try:
            if request.check is not None:
                self._require_same_metadata(request.check)
            if tags.format is Format.VIDEO:
                return draft_of_clip(tags, self._bytes_of)
            lacks = _missing_part(tags.photo, tags.format) if tags.embed else ""
            drafted = draft(replace(tags, embed=tags.embed and not lacks), self._bytes_of, keyword_block)
        except PhotoError as error:
            return error
        if not lacks:
            return drafted
        return replace(
            drafted, notes=(f"the photo itself was not changed: a part of it is missing: {lacks}", *drafted.notes)
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
        """Return the bytes of a file, one more than limits.file_size at most; None if it does not exist."""
        if not exists(place):
            return None
        with open_regular(place) as stream:
            return stream.read(self._settings.file_size + 1)


def _scorer(network: Network, faces: Path) -> Scorer:
    """Load the networks that judge subjects."""
    with silence_stderr():
        return Scorer(network, SubjectFinder.open(faces))


def _missing_part(place: RootedPath, format_: Format) -> str:
    """Return, as a clause, what a file lacks by its own structure; empty if nothing is missing."""
    with open_regular(place) as stream, translate_errors(place.path, "read"):
        return missing_part(stream, format_)


def _require_unchanged(stamp: FileStat, stream: BinaryIO) -> None:
    if FileStat.of(os.fstat(stream.fileno())) != stamp:
        raise PhotoChangedError("it changed while it was being read; it will be read again")
