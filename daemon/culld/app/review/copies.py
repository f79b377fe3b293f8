"""The repaired copy of a photo: what is answered about it, and the proof that a file is it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from culld.app.review.photos import PhotoFile
from culld.errors import PhotoChangedError
from culld.files.open_beneath import open_regular
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.records import CopyState, FileStat, Format, display_path

if TYPE_CHECKING:
    from culld.journal.review import ReviewReader
    from culld.records import RecordedCopy, RootedPath

_AFTER_ALL: Final = 2**62  # a number that no decision has: only the given decision is looked at
_CHUNK: Final = 1 << 20


def copy_of_photo(journal: ReviewReader, number: int) -> RecordedCopy | None:
    """Return the repaired copy that was asked for with a decision, or made with an earlier one about the same content.

    None if there is neither.
    """
    own = journal.copy_of(number)
    if own is not None:
        return own
    earlier = sorted({each for each, _ in journal.superseded_by(_AFTER_ALL, [number])}, reverse=True)
    if not earlier:
        return None
    decisions = journal.numbered([number, *earlier])
    digests = decisions[number].digests if number in decisions else frozenset()
    copies = (journal.copy_of(each) for each in earlier if each in decisions and decisions[each].digests & digests)
    return next((copy for copy in copies if copy is not None and copy.state is CopyState.MADE), None)


def copy_facts(copy: RecordedCopy | None) -> dict[str, Any] | None:
    """Return how far a copy is, why, and the name and the digest of its file; None without a copy."""
    if copy is None:
        return None
    return {
        "state": copy.state,
        "reason": copy.reason,
        "repair": copy.repair,
        "name": copy.place and display_path(Path(copy.place.relative.name)),
        "digest": copy.digest,
    }


def copy_file(journal: ReviewReader, number: int) -> PhotoFile | None:
    """Return the file of the copy of a photo, which is not looked at; None if none is made."""
    copy = copy_of_photo(journal, number)
    if copy is None or copy.state is not CopyState.MADE or copy.place is None:
        return None
    return PhotoFile(copy.place, copy.digest, None, is_exact=True)


def jpeg_digest(place: RootedPath, largest: int) -> tuple[FileStat, str]:
    """Return the stamp and the SHA-256 of a JPEG file of at most `largest` bytes.

    Raises PhotoError if it cannot be opened, PhotoChangedError if it is no such file or is written meanwhile.
    """
    with open_regular(place) as stream:
        stamp = FileStat.of(os.fstat(stream.fileno()))
        head = os.pread(stream.fileno(), HEAD_BYTES, 0)
        if recognise(head, place.relative.name) is not Format.JPEG or stamp.size > largest:
            raise PhotoChangedError(f"{display_path(place.path)} is no copy that culld made")
        digest = hashlib.sha256()
        while data := stream.read(_CHUNK):
            digest.update(data)
        if FileStat.of(os.fstat(stream.fileno())) != stamp:
            raise PhotoChangedError(f"{display_path(place.path)} was changed while it was read")
    return stamp, digest.hexdigest()
