"""From a judgement to proven rewrites of the sidecar and, where it can be done without loss, of the photo itself.

Everything here is made of plain records, so a worker process can do it. Files are neither opened nor written: bytes
come from the `read` that the caller hands in, and the caller publishes what comes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from culld.errors import PhotoChangedError, TagRefusedError
from culld.records import Rewrite
from culld.tags.edits import apply_edits, digest_of
from culld.tags.embedding import way_into
from culld.tags.machine import NAMESPACE
from culld.tags.ours import own_values
from culld.tags.proof import prove_sidecar
from culld.tags.sidecar import sidecar_edits
from culld.tags.xmp import read_xmp
from culld.tags.xpkeywords import new_block

if TYPE_CHECKING:
    from collections.abc import Callable

    from culld.records import Format, Mark, Place
    from culld.tags.machine import MachineRecord


@dataclass(frozen=True, slots=True)
class TagRequest:
    """What to write, and where.

    `digest` is that of the bytes that were judged. `sidecar` is None and `embed` False where a file must not be
    written, which the caller knows and tells: no safe name (see `sidecar_name`), a hard link, a foreign owner, a
    setting.
    """

    photo: Place
    format: Format
    digest: str
    keywords: tuple[str, ...]
    record: MachineRecord
    sidecar: Place | None
    embed: bool
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class TagDraft:
    """Proven rewrites in the order in which to publish them, and why something was not written, if so."""

    rewrites: tuple[Rewrite, ...]
    notes: tuple[str, ...]


def draft(
    request: TagRequest,
    read: Callable[[Place], bytes | None],
    build_exif: Callable[[bytes], bytes] = new_block,
) -> TagDraft:
    """Draft the tags of one photo; `read` gives the bytes at a place, or None where no file is.

    A refusal of one file is a note and does not hinder the other. Without keywords it only takes back what culld has
    said before, which the sidecar tells. Raises PhotoChangedError where the photo is no longer the one that was judged.
    """
    if not request.keywords and not request.marks and not _has_spoken(request, read):
        return TagDraft((), ())
    attempts = [partial(_sidecar, request, read)]
    if request.embed:
        photo = read(request.photo)
        if photo is None or digest_of(photo) != request.digest:
            raise PhotoChangedError(f"{request.photo.path.name!r} changed after it was judged; it will be judged anew")
        attempts.append(partial(_embedded, request, photo, build_exif))
    rewrites: list[Rewrite] = []
    notes: list[str] = []
    for attempt in attempts:
        try:
            rewrites += attempt()
        except TagRefusedError as refusal:
            notes.append(str(refusal))
    return TagDraft(tuple(rewrites), tuple(notes))


def _has_spoken(request: TagRequest, read: Callable[[Place], bytes | None]) -> bool:
    """Whether there is a sidecar that holds a record of ours; one that cannot be understood holds none."""
    old = None if request.sidecar is None else read(request.sidecar)
    try:
        return old is not None and NAMESPACE.encode() in old and bool(own_values(read_xmp(old)))
    except TagRefusedError:
        return False


def _sidecar(request: TagRequest, read: Callable[[Place], bytes | None]) -> list[Rewrite]:
    """The rewrite of the sidecar, if it needs one."""
    if request.sidecar is None:
        return []
    old = read(request.sidecar)
    edits = sidecar_edits(old, request.keywords, request.record, request.marks)
    if not edits:
        return []
    new = apply_edits(old or b"", edits)
    prove_sidecar(old, new, request.keywords, request.record, request.marks)
    return [Rewrite(request.sidecar, None if old is None else digest_of(old), digest_of(new), edits)]


def _embedded(request: TagRequest, photo: bytes, build_exif: Callable[[bytes], bytes]) -> list[Rewrite]:
    """The rewrite of the photo itself, if it needs one."""
    drafted, prove = way_into(request.format, build_exif)
    edits = drafted(photo, request.keywords, request.marks)
    if not edits:
        return []
    new = apply_edits(photo, edits)
    prove(photo, new, request.keywords, request.marks)
    return [Rewrite(request.photo, request.digest, digest_of(new), edits)]
