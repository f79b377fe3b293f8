"""Rewriting a file atomically, if it still has the digest that the rewrite was planned for."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, BinaryIO

from culld.errors import PhotoBlockedError, PhotoChangedError, TagRefusedError
from culld.files.attributes import copy_metadata, group_refusal, limit_access
from culld.files.exchange import Swap
from culld.files.lease import lease
from culld.files.open_beneath import file_name, folder, open_in, open_regular
from culld.files.os_errors import translate_errors
from culld.files.remove_own import remove_sidecar
from culld.files.tempfile import temp_file
from culld.records import Edit, Rewrite, display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culld.files.tempfile import TempFile
    from culld.records import FileStat, RootedPath

_CHUNK = 1 << 20


def rewrite_file(
    rewrite: Rewrite, *, keep_mtime: bool = True, create_folder: bool = False, beside: RootedPath | None = None
) -> FileStat:
    """Carry out a rewrite atomically and durably, and return the file's new stat.

    The new bytes are written to a temporary file, read back from the disk, and exchanged with the old file (see the
    module `exchange`). The file must still have the digest `before`, every edit must find the bytes that it removes,
    and the result must have the digest `after`. Mode, owner and extended attributes are kept, and the modification time
    if `keep_mtime`. A new file (`before` is None) never replaces another, and cannot be read by users who may not read
    the photo `beside`, whose data it holds. On any error, and if another program has the file open for writing or saves
    it during the rewrite, the old file is not changed.

    Raises PhotoChangedError, PhotoBlockedError, or TagRefusedError if this file must not be rewritten.
    """
    place = rewrite.place
    name = file_name(place)
    with (
        folder(place.root, place.relative.parent, create=create_folder) as inside,
        translate_errors(place.path, "write"),
    ):
        if rewrite.before is None:
            with temp_file(inside, mode=0o666) as new:  # the umask and the folder's default ACL decide
                _limit(new, beside)
                _write_edited(None, new, rewrite)
                os.fsync(new.descriptor)
                return new.commit(name)
        with open_in(inside, place) as old:
            return _replace(rewrite, inside, old, keep_mtime=keep_mtime)


def why_not_rewritable(place: RootedPath) -> str | None:
    """Return why this file must not be rewritten, as a clause (hard links, foreign owner or group); None if it may.

    A rewritten file is a new file under the old name. Its other hard links would keep the old bytes, a foreign owner
    could only be kept by root, and a foreign group by root or a member.
    """
    with folder(place.root, place.relative.parent) as inside, open_in(inside, place) as old:
        return _why_not_rewritable(os.fstat(old.fileno()), os.fstat(inside))


def _why_not_rewritable(found: os.stat_result, inside: os.stat_result) -> str | None:
    if found.st_nlink > 1:
        return "the file has hard links; rewriting it would leave the other links with the old content"
    if os.geteuid() not in (0, found.st_uid):
        return "the file belongs to another user; only root could keep the owner"
    return group_refusal(found, inside)


def _limit(new: TempFile, beside: RootedPath | None) -> None:
    if beside is not None:
        with open_regular(beside) as photo:
            limit_access(photo.fileno(), new.descriptor)


def _replace(rewrite: Rewrite, inside: int, old: BinaryIO, *, keep_mtime: bool) -> FileStat:
    place = rewrite.place
    found = os.fstat(old.fileno())
    if (why := _why_not_rewritable(found, os.fstat(inside))) is not None:
        raise TagRefusedError(f"{display_path(place.path)} is not rewritten: {why}")
    with temp_file(inside, mode=0o600) as new:
        _write_edited(old, new, rewrite)
        copy_metadata(old.fileno(), new.descriptor, strict=True)
        if not keep_mtime:
            os.utime(new.descriptor)
        new.verify(rewrite.after)
        with lease(old.fileno(), place.path) as held:
            return Swap(new, file_name(place), found, held).carry_out()


def _write_edited(old: BinaryIO | None, new: TempFile, rewrite: Rewrite) -> None:
    """Write the edited bytes of `old` (None: an empty file) to `new`, and check the digests of both."""
    was, becomes = hashlib.sha256(), hashlib.sha256()
    path = display_path(rewrite.place.path)

    def emit(data: bytes) -> None:
        becomes.update(data)
        new.write(data)

    position = 0
    for edit in sorted(rewrite.edits, key=lambda edit: edit.offset):
        if edit.offset < position:
            raise TagRefusedError(f"the planned edits of {path} overlap; it was not changed")
        position += _copy_bytes(old, edit.offset - position, was.update, emit)
        removed = old.read(len(edit.removed)) if old is not None else b""
        if position != edit.offset or removed != edit.removed:
            raise PhotoChangedError(f"{path} does not hold the bytes that were to be replaced; culld tries again")
        was.update(removed)
        emit(edit.inserted)
        position += len(removed)
    _copy_bytes(old, None, was.update, emit)
    if rewrite.before not in (None, was.hexdigest()):
        raise PhotoChangedError(f"{path} is not the file that the tags were made for; culld tries again")
    if becomes.hexdigest() != rewrite.after:
        raise PhotoBlockedError(f"the planned edits of {path} do not give the planned result; it was not changed")


def _copy_bytes(old: BinaryIO | None, count: int | None, *takers: Callable[[bytes], None]) -> int:
    """Pass the next `count` bytes (None: the rest) to the takers; return how many there were."""
    copied = 0
    while old is not None and (count is None or copied < count):
        data = old.read(_CHUNK if count is None else min(_CHUNK, count - copied))
        if not data:
            break
        for take in takers:
            take(data)
        copied += len(data)
    return copied


def inverse(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """Return the edits that turn the new bytes back into the old ones."""
    back, shift = [], 0
    for edit in edits:
        back.append(Edit(edit.offset + shift, edit.inserted, edit.removed))
        shift += len(edit.inserted) - len(edit.removed)
    return tuple(back)


def undo(rewrite: Rewrite) -> None:
    """Undo a rewrite; a sidecar that it created is removed. Raises PhotoError if the file is not its result."""
    if rewrite.before is None:
        remove_sidecar(rewrite.place, rewrite.after)
    else:
        rewrite_file(Rewrite(rewrite.place, rewrite.after, rewrite.before, inverse(rewrite.edits)))
