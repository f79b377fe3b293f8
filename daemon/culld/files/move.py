"""Moving a file without replacing another; its old name is removed last.

On one file system this is a single rename. Across file systems it is a copy that is made durable, read back from the
disk and compared before the source is unlinked. That verified unlink (also in `finish_copied_move`) is the only way in
which culld removes a photo's name: the source is renamed to a hidden name of culld's own, checked there, and unlinked
only if it is the file that was copied and no program has it open for writing; otherwise it gets its name back.
"""

from __future__ import annotations

import errno
import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from culld.errors import PhotoBlockedError, PhotoChangedError
from culld.files.attributes import copy_metadata
from culld.files.exchange import same_file
from culld.files.lease import lease
from culld.files.open_beneath import digest_of, file_name, folder, open_in, sync_folder
from culld.files.os_errors import translate_errors
from culld.files.rename_noreplace import rename_noreplace, unlink_checked
from culld.files.tempfile import temp_file
from culld.records import FileStat, display_path

if TYPE_CHECKING:
    from culld.files.lease import Lease
    from culld.records import Move

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class _OpenMove:
    """A move with its source open for reading and both folders open."""

    move: Move
    stream: BinaryIO
    source_dir: int
    target_dir: int

    @property
    def old_name(self) -> str:
        return file_name(self.move.source)

    @property
    def new_name(self) -> str:
        return file_name(self.move.target)


def move_file(move: Move, *, expected: FileStat | None = None) -> FileStat:
    """Move a file and return its new stat; missing folders below the target's root are created.

    The source must still have the stamp `expected`. Without one, or if only its ctime differs (some FUSE drivers, such
    as ntfs-3g, set it when a file that was written is closed), its bytes are read and must have the move's digest.
    Raises NameTakenError if the target exists, PhotoChangedError if the source was replaced or a program has it open
    for writing, and PhotoBlockedError if the system refuses. After an error the source is where it was.
    """
    source, target = move.source, move.target
    with (
        folder(source.root, source.relative.parent) as away,
        open_in(away, source) as stream,
        folder(target.root, target.relative.parent, create=True) as there,
        translate_errors(source.path, "move"),
    ):
        way = _OpenMove(move, stream, away, there)
        before = _check(way, expected)
        try:
            return _rename(way, before)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        return _copy(way, before)


def finish_copied_move(move: Move) -> None:
    """Finish a move whose copy is complete: unlink the source, once source and target durably hold the same bytes.

    Raises PhotoChangedError if one of them holds other bytes, PhotoBlockedError if both are one name.
    """
    source, target = move.source, move.target
    with (
        folder(source.root, source.relative.parent) as away,
        open_in(away, source) as stream,
        folder(target.root, target.relative.parent) as there,
        open_in(there, target) as copy,
        translate_errors(source.path, "move"),
    ):
        way = _OpenMove(move, stream, away, there)
        _check(way, None)
        os.fsync(copy.fileno())
        os.posix_fadvise(copy.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if digest_of(copy) != move.digest:
            raise PhotoChangedError(
                f"{display_path(target.path)} is not a full copy of {display_path(source.path)}; both are kept"
            )
        old, new = os.fstat(stream.fileno()), os.fstat(copy.fileno())
        if os.path.samestat(old, new) and old.st_nlink < 2:
            raise PhotoBlockedError(
                f"{display_path(source.path)} and {display_path(target.path)} are one file; it is kept"
            )
        sync_folder(there)
        with lease(stream.fileno(), source.path) as held:
            _unlink_source(way, held, old, new)


def _check(way: _OpenMove, expected: FileStat | None) -> os.stat_result:
    before = os.fstat(way.stream.fileno())
    same = FileStat.of(before) == expected
    if not same and (expected is None or FileStat.of(before) == replace(expected, ctime_ns=before.st_ctime_ns)):
        same = digest_of(way.stream) == way.move.digest and _stamp(way) == FileStat.of(before)
        way.stream.seek(0)
    if not same:
        raise PhotoChangedError(f"{display_path(way.move.source.path)} changed since it was judged; culld tries again")
    return before


def _rename(way: _OpenMove, before: os.stat_result) -> FileStat:
    """Rename; if the file is not the judged one, or a program opened it for writing, rename it back."""
    with lease(way.stream.fileno(), way.move.source.path) as held:
        if _stamp(way) != FileStat.of(before):
            raise _changed(way)
        rename_noreplace(way.source_dir, way.old_name, way.target_dir, way.new_name)
        right = False
        try:
            _confirm(way)
            sync_folder(way.target_dir)
            sync_folder(way.source_dir)
            held.confirm()
            right = True
        finally:
            if not right:
                rename_noreplace(way.target_dir, way.new_name, way.source_dir, way.old_name)
    return FileStat.of(os.stat(way.new_name, dir_fd=way.target_dir, follow_symlinks=False))


def _confirm(way: _OpenMove) -> None:
    """Raise PhotoChangedError if the file under the new name is not the judged one."""
    landed = os.stat(way.new_name, dir_fd=way.target_dir, follow_symlinks=False)
    if not os.path.samestat(landed, os.fstat(way.stream.fileno())) and not _same_bytes(way):
        raise PhotoChangedError(
            f"{display_path(way.move.source.path)} was replaced while it was moved; culld tries again"
        )


def _same_bytes(way: _OpenMove) -> bool:
    """Whether the moved file has the right digest; some FUSE and overlay file systems give it another inode number."""
    try:
        with open_in(way.target_dir, way.move.target) as landed:
            return digest_of(landed) == way.move.digest
    except PhotoBlockedError:
        return False  # a link or a special file: not the photo


def _copy(way: _OpenMove, before: os.stat_result) -> FileStat:
    with temp_file(way.target_dir, mode=0o600) as new:
        seen = hashlib.sha256()
        while data := way.stream.read(_CHUNK):
            seen.update(data)
            new.write(data)
        if seen.hexdigest() != way.move.digest:
            raise PhotoChangedError(
                f"{display_path(way.move.source.path)} changed since it was judged; culld tries again"
            )
        copy_metadata(way.stream.fileno(), new.descriptor, strict=False)
        new.verify(way.move.digest)
        with lease(way.stream.fileno(), way.move.source.path) as held:
            if _stamp(way) != FileStat.of(before):
                raise _changed(way)
            copy = os.fstat(new.descriptor)  # before other programs see it
            stamp = new.commit(way.new_name)
            new.close()
            _give_up_source(way, held, before, copy)
    return stamp


def _give_up_source(way: _OpenMove, held: Lease, before: os.stat_result, copy: os.stat_result) -> None:
    """Unlink the source of a finished copy; if it was saved since, or is written to, unlink the copy instead."""
    try:
        _unlink_source(way, held, before, copy)
    except PhotoChangedError:
        os.stat(way.old_name, dir_fd=way.source_dir, follow_symlinks=False)  # raises if the source's name is not back
        with suppress(PhotoChangedError):  # the copy is used already, so both are kept
            _unlink_copy(way, copy)
        raise


def _unlink_copy(way: _OpenMove, copy: os.stat_result) -> None:
    path = way.move.target.path
    with open_in(way.target_dir, way.move.target) as stream, lease(stream.fileno(), path) as held:

        def is_ours(found: os.stat_result) -> bool:
            held.confirm()
            return same_file(found, copy) and same_file(os.fstat(stream.fileno()), copy)

        unlink_checked(way.target_dir, way.new_name, is_ours)


def _unlink_source(way: _OpenMove, held: Lease, before: os.stat_result, copy: os.stat_result) -> None:
    def is_copied(found: os.stat_result) -> bool:
        held.confirm()
        # Source and target may be one file, seen through two mounts: unlinking the source would remove both. An edit of
        # the copy is newer than the source, so it does not prevent the unlink.
        there = os.stat(way.new_name, dir_fd=way.target_dir, follow_symlinks=False)
        unchanged = same_file(found, before) and same_file(os.fstat(way.stream.fileno()), before)
        return unchanged and os.path.samestat(there, copy)

    if not unlink_checked(way.source_dir, way.old_name, is_copied):
        raise _changed(way)
    sync_folder(way.source_dir)


def _stamp(way: _OpenMove) -> FileStat:
    return FileStat.of(os.fstat(way.stream.fileno()))


def _changed(way: _OpenMove) -> PhotoChangedError:
    return PhotoChangedError(f"{display_path(way.move.source.path)} changed while it was moved; it is kept")
