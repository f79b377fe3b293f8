"""From a decision to verified rewrites of the sidecar and, where it can be done without loss, of the photo itself.

Requests and drafts are plain records, so a worker process can do the work. Files are neither opened nor written: the
caller passes `read`, and publishes the rewrites.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from culld.errors import PhotoChangedError, TagRefusedError
from culld.records import Rewrite
from culld.tags.edits import apply_edits, digest_of
from culld.tags.embedded import embedded_edits
from culld.tags.keywords import new_block
from culld.tags.own_properties import NAMESPACE, own_properties
from culld.tags.sidecar import sidecar_edits
from culld.tags.sidecar_start import initial_sidecar
from culld.tags.sidecar_start_check import verify_initial_sidecar
from culld.tags.verify import verify_embedded, verify_sidecar
from culld.tags.xmp import read_xmp

if TYPE_CHECKING:
    from collections.abc import Callable

    from culld.records import Format, RejectFlag, RootedPath
    from culld.tags.own_properties import DecisionProperties


@dataclass(frozen=True, slots=True)
class TagRequest:
    """The tags of one photo, and the files to write them into.

    `digest` is the SHA-256 of the bytes that were judged. `sidecar` is None and `embed` False where the caller forbids
    to write that file: no safe name (see `sidecar_name`), a hard link, a foreign owner, a setting. With `if_needed` a
    new sidecar is made only where the photo itself cannot be written. `tagged` is True if culld may have written tags
    to the photo before.
    """

    photo: RootedPath
    format: Format
    digest: str
    keywords: tuple[str, ...]
    record: DecisionProperties
    sidecar: RootedPath | None
    embed: bool
    reject_flags: tuple[RejectFlag, ...] = ()
    if_needed: bool = False
    tagged: bool = False


@dataclass(frozen=True, slots=True)
class TagDraft:
    """Verified rewrites in the order in which to publish them, and a note for each file that is not written."""

    rewrites: tuple[Rewrite, ...]
    notes: tuple[str, ...]


def draft(
    request: TagRequest,
    read: Callable[[RootedPath], bytes | None],
    build_exif: Callable[[bytes], bytes] = new_block,
) -> TagDraft:
    """Draft the tags of one photo; `read` returns the bytes of a file, or None where there is none.

    A refusal of one file becomes a note and does not hinder the other. Without keywords and reject flags the draft only
    removes earlier tags of culld: those of a photo whose sidecar lists them, or that was `tagged` without a sidecar.
    Raises PhotoChangedError where the photo is no longer the one that was judged.
    """
    old = None if request.sidecar is None else read(request.sidecar)
    if not request.keywords and not request.reject_flags and not _has_own_record(old):
        if not (request.tagged and request.embed):
            return TagDraft((), ())
        return TagDraft(*_tried(partial(_embedded, request, _judged(request, read), build_exif)))
    is_new = request.sidecar is not None and old is None
    photo = _judged(request, read) if request.embed or is_new else b""
    inside, refused = _tried(partial(_embedded, request, photo, build_exif)) if request.embed else ((), ())
    if is_new and request.if_needed and request.embed and not refused:
        return TagDraft(inside, ())
    beside, note = _tried(partial(_sidecar, request, old, photo))
    return TagDraft(beside + inside, note + refused)


def _judged(request: TagRequest, read: Callable[[RootedPath], bytes | None]) -> bytes:
    """The bytes of the photo; raises PhotoChangedError if they are not those that were judged."""
    photo = read(request.photo)
    if photo is None or digest_of(photo) != request.digest:
        raise PhotoChangedError(f"{request.photo.path.name!r} changed after it was judged; it will be judged again")
    return photo


def _tried(attempt: Callable[[], tuple[Rewrite, ...]]) -> tuple[tuple[Rewrite, ...], tuple[str, ...]]:
    """The rewrites of an attempt, or the note with the reason of the refusal."""
    try:
        return attempt(), ()
    except TagRefusedError as refusal:
        return (), (str(refusal),)


def _has_own_record(sidecar: bytes | None) -> bool:
    """Whether a sidecar holds properties of culld; one that cannot be parsed counts as holding none."""
    try:
        return sidecar is not None and NAMESPACE.encode() in sidecar and bool(own_properties(read_xmp(sidecar)))
    except TagRefusedError:
        return False


def _sidecar(request: TagRequest, old: bytes | None, photo: bytes) -> tuple[Rewrite, ...]:
    """The rewrite of the sidecar, if it needs one; a new one begins with the description in the photo."""
    if request.sidecar is None:
        return ()
    seed = _seed(request, photo) if old is None else b""
    edits = sidecar_edits(old, request.keywords, request.record, request.reject_flags, seed)
    if not edits:
        return ()
    new = apply_edits(old or b"", edits)
    verify_sidecar(seed if old is None else old, new, request.keywords, request.record, request.reject_flags)
    return (Rewrite(request.sidecar, None if old is None else digest_of(old), digest_of(new), edits),)


def _seed(request: TagRequest, photo: bytes) -> bytes:
    """The verified start of a new sidecar."""
    try:
        seed = initial_sidecar(photo, request.format)
        verify_initial_sidecar(photo, request.format, seed)
    except TagRefusedError as refusal:
        reason = f"it would hide what the photo holds, and that cannot be copied: {refusal}"
        raise TagRefusedError(f"no sidecar was written: {reason}") from refusal
    return seed


def _embedded(request: TagRequest, photo: bytes, build_exif: Callable[[bytes], bytes]) -> tuple[Rewrite, ...]:
    """The rewrite of the photo itself, if it needs one."""
    edits = embedded_edits(photo, request.format, request.keywords, request.reject_flags, build_exif)
    if not edits:
        return ()
    new = apply_edits(photo, edits)
    verify_embedded(photo, new, request.format, request.keywords, request.reject_flags)
    return (Rewrite(request.photo, request.digest, digest_of(new), edits),)
