"""A rename that never replaces anything.

Linux `renameat2` with RENAME_NOREPLACE (renameat2(2)); where the file system or the C library does not know it, a hard
link, which fails as well if the name is taken, and then the removal of the old name.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys

_RENAME_NOREPLACE = 1
_UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}


def rename_noreplace(from_folder: int, from_name: str, to_folder: int, to_name: str) -> None:
    """Give a file another name in open folders; raises FileExistsError if the name is taken, OSError with EXDEV across.

    Announces itself to audit hooks as `culld.rename`, since ctypes calls are invisible to them.
    """
    sys.audit("culld.rename", from_name, to_name)
    code = _renameat2(from_folder, from_name, to_folder, to_name)
    if code in _UNSUPPORTED:
        _link_and_unlink(from_folder, from_name, to_folder, to_name)
    elif code:
        raise OSError(code, os.strerror(code), from_name, None, to_name)


def _renameat2(from_folder: int, from_name: str, to_folder: int, to_name: str) -> int:
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return errno.ENOSYS
    old, new = os.fsencode(from_name), os.fsencode(to_name)
    if call(from_folder, ctypes.c_char_p(old), to_folder, ctypes.c_char_p(new), ctypes.c_uint(_RENAME_NOREPLACE)) == 0:
        return 0
    return ctypes.get_errno()


def _link_and_unlink(from_folder: int, from_name: str, to_folder: int, to_name: str) -> None:
    # follow_symlinks must be False: by default Python links what a symlink points to.
    os.link(from_name, to_name, src_dir_fd=from_folder, dst_dir_fd=to_folder, follow_symlinks=False)
    os.fsync(to_folder)
    linked = os.stat(to_name, dir_fd=to_folder, follow_symlinks=False)
    left = os.stat(from_name, dir_fd=from_folder, follow_symlinks=False)
    if (linked.st_dev, linked.st_ino) == (left.st_dev, left.st_ino):
        os.unlink(from_name, dir_fd=from_folder)
