"""Renaming without replacing another file, and unlinking a file only after a check.

Linux renames without replacing by `renameat2` with RENAME_NOREPLACE (renameat2(2)). NFS and nearly every FUSE file
system refuse that flag. There, if hard links work and have one inode number, a link creates the new name (it fails if
the name is taken) and the old name is removed. A FUSE program with an inode number for each name (sshfs, mergerfs,
unionfs) shows two links as two files, and others have no links (rclone, exfat): there culld reserves the new name with
a small file of its own (O_EXCL) and renames over it. The rename keeps the inode number, and a copy would double the
traffic; but a program which replaces the reserved name between the last check and the rename loses its file.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING

from culld.errors import PhotoChangedError
from culld.files.open_beneath import sync_folder
from culld.files.temp_names import CLAIM, aside_name, is_own_temp, marked_name, name_of_aside, temp_name

if TYPE_CHECKING:
    from collections.abc import Callable

_NOREPLACE = 1
_EXCHANGE = 2
_UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
_NO_LINKS = {errno.EPERM, errno.EROFS, errno.EMLINK, errno.EXDEV, errno.EACCES, *_UNSUPPORTED}
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Way(StrEnum):
    """The way in which files in a folder are renamed without replacing another."""

    NOREPLACE = "a rename that replaces nothing"
    LINK = "a hard link, then the removal of the old name"
    CLAIM = "a reserved name, then a rename over it"


def rename_noreplace(from_folder: int, from_name: str, to_folder: int, to_name: str) -> None:
    """Give a file another name in open folders; raises FileExistsError if the name is taken, OSError with EXDEV across.

    After an error the file has its old name only. Raises PhotoChangedError if the old name was given to another file
    since. Announces itself to audit hooks as `culld.rename`, since ctypes calls are invisible to them.
    """
    sys.audit("culld.rename", from_name, to_name)
    code = _renameat2(from_folder, from_name, to_folder, to_name, _NOREPLACE)
    if code in _UNSUPPORTED:
        by = _link_and_unlink if links_are_seen(to_folder) else _claim_and_rename
        by(from_folder, from_name, to_folder, to_name)
    elif code:
        raise OSError(code, os.strerror(code), from_name, None, to_name)


def exchange(folder: int, one: str, other: str) -> bool:
    """Exchange the names of two files of an open folder in one step; return False, without a change, if unsupported.

    Raises OSError. Announces itself to audit hooks as `culld.rename`.
    """
    sys.audit("culld.rename", one, other)
    code = _renameat2(folder, one, folder, other, _EXCHANGE)
    if code not in {0, *_UNSUPPORTED}:
        raise OSError(code, os.strerror(code), one, None, other)
    return code == 0


def unlink_checked(folder: int, name: str, is_right: Callable[[os.stat_result], bool]) -> bool:
    """Unlink a file if `is_right` accepts it; otherwise return False, and the file keeps its name.

    The file is renamed to a hidden name of culld's own first, so that no other program replaces it between the check
    and the unlink. If `is_right` raises, or the unlink fails, the file gets its name back as well.
    """
    own = aside_name(name)
    os.rename(name, own, src_dir_fd=folder, dst_dir_fd=folder)
    gone = False
    try:
        if is_right(os.stat(own, dir_fd=folder, follow_symlinks=False)):
            os.unlink(own, dir_fd=folder)
            gone = True
    finally:
        if not gone:
            give_back(folder, own, name)
    return gone


def give_back(folder: int, own: str, name: str) -> str:
    """Give a file that was set aside its own name, or one with a suffix if that is taken; return the name."""
    while True:
        try:
            rename_noreplace(folder, own, folder, name)
        except FileExistsError:
            name = marked_name(name)
        else:
            return name


def is_claim(folder: int, name: str, *, begun: bool = False) -> bool:
    """Whether a name is only reserved by culld: its file has the bytes of CLAIM or, with `begun`, the first of them.

    With `begun` an empty file counts as well.
    """
    try:
        descriptor = os.open(name, _READ, dir_fd=folder)
    except OSError:  # culld can read every file that it creates
        return False
    try:
        found = os.read(descriptor, len(CLAIM) + 1)
    except OSError:  # a folder
        return False
    finally:
        os.close(descriptor)
    return found == CLAIM or (begun and CLAIM.startswith(found))


def way_of(folder: int) -> Way:
    """Find out, with a temporary file, in which way files in an open folder can be renamed; raises OSError."""
    one, other = temp_name(), temp_name()
    os.close(os.open(one, _CREATE, 0o600, dir_fd=folder))
    try:
        if _renameat2(folder, one, folder, other, _NOREPLACE) == 0:
            return Way.NOREPLACE
        return Way.LINK if links_are_seen(folder) else Way.CLAIM
    finally:
        _remove(folder, one, other)


def exchanges(folder: int) -> bool:
    """Find out, with temporary files, whether two files in an open folder can exchange their names; raises OSError."""
    one, other = temp_name(), temp_name()
    try:
        for name in (one, other):
            os.close(os.open(name, _CREATE, 0o600, dir_fd=folder))
        return exchange(folder, one, other)
    finally:
        _remove(folder, one, other)


def links_are_seen(folder: int) -> bool:
    """Find out, with a temporary file, whether hard links work in an open folder, and have one inode number."""
    one, other = temp_name(), temp_name()
    os.close(os.open(one, _CREATE, 0o600, dir_fd=folder))
    try:
        os.link(one, other, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        first, second = (os.stat(name, dir_fd=folder, follow_symlinks=False) for name in (one, other))
        # A FUSE mount may report one inode number and yet cache the attributes of each name separately.
        return os.path.samestat(first, second) and first.st_nlink == second.st_nlink == 2
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return False
    finally:
        _remove(folder, one, other)


def _remove(folder: int, *names: str) -> None:
    for name in names:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)


def _renameat2(from_folder: int, from_name: str, to_folder: int, to_name: str, flags: int) -> int:
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return errno.ENOSYS
    old, new = ctypes.c_char_p(os.fsencode(from_name)), ctypes.c_char_p(os.fsencode(to_name))
    return 0 if call(from_folder, old, to_folder, new, ctypes.c_uint(flags)) == 0 else ctypes.get_errno()


def _link_and_unlink(from_folder: int, from_name: str, to_folder: int, to_name: str) -> None:
    # follow_symlinks must be False: by default Python links what a symlink points to.
    os.link(from_name, to_name, src_dir_fd=from_folder, dst_dir_fd=to_folder, follow_symlinks=False)
    linked = os.stat(to_name, dir_fd=to_folder, follow_symlinks=False)

    def same(found: os.stat_result) -> bool:
        return os.path.samestat(found, linked)

    gone = False
    try:
        sync_folder(to_folder)
        gone = _drop(from_folder, from_name, same)
    finally:
        if not gone:
            unlink_checked(to_folder, to_name, same)


def _drop(folder: int, name: str, same: Callable[[os.stat_result], bool]) -> bool:
    """Unlink a name that has been linked; a hidden name of culld's own without a check, which ends the recursion."""
    if is_own_temp(name) or name_of_aside(name) is not None:
        os.unlink(name, dir_fd=folder)
    elif not unlink_checked(folder, name, same):
        raise PhotoChangedError(f"{name!r} was replaced while it was moved; culld tries again")
    return True


def _claim_and_rename(from_folder: int, from_name: str, to_folder: int, to_name: str) -> None:
    descriptor = os.open(to_name, _CREATE, 0o600, dir_fd=to_folder)
    try:
        _fill_claim(descriptor)
        if not is_claim(to_folder, to_name):  # another program writes to it
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), to_name)
        os.rename(from_name, to_name, src_dir_fd=from_folder, dst_dir_fd=to_folder)
    except OSError:
        if is_claim(to_folder, to_name, begun=True):
            os.unlink(to_name, dir_fd=to_folder)
        raise
    if is_claim(to_folder, to_name):
        os.unlink(to_name, dir_fd=to_folder)
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), from_name)


def _fill_claim(descriptor: int) -> None:
    try:
        whole = os.write(descriptor, CLAIM) == len(CLAIM)
    finally:
        os.close(descriptor)
    if not whole:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
