"""The user metadata in a photo or clip itself, and in the files of programs that do not use XMP sidecars."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from culld.files.open_beneath import open_regular
from culld.files.os_errors import translate_errors
from culld.records import Format, RejectFlag, UserMetadata
from culld.stages.read.exif_facts import exif_rating
from culld.stages.read.external_metadata import external_user_metadata
from culld.tags.clip_metadata import metadata_part
from culld.tags.user_metadata import packets_in, together, user_metadata_in

if TYPE_CHECKING:
    from culld.records import Photo, RootedPath

MAX_XMP_SCAN = 64 << 20
"""How many bytes at the start of a photo are searched for XMP packets."""


def own_metadata(photo: Photo, stream: BinaryIO, exif: bytes) -> UserMetadata:
    """Return the user metadata in a photo's own bytes and in the files of programs that do not use XMP sidecars.

    The EXIF of a RAW is not searched for ratings: programs write them as XMP.
    """
    stream.seek(0)
    packets = packets_in(metadata_part(stream) if photo.format is Format.VIDEO else stream.read(MAX_XMP_SCAN))
    stars = () if photo.format is Format.RAW else exif_rating(exif)
    in_exif = UserMetadata(filled_flags=frozenset({RejectFlag.RATING} if stars else ()), stars=stars)
    return together([user_metadata_in(packets), in_exif, external_user_metadata(photo.place)])


def head_of(place: RootedPath) -> bytes:
    """Return the first bytes of a file, `MAX_XMP_SCAN` at most; raises PhotoError."""
    with open_regular(place) as stream, translate_errors(place.path, "read"):
        return stream.read(MAX_XMP_SCAN)
