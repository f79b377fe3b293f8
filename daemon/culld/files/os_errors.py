"""The translation of operating-system errors into a PhotoError with advice to the user."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from culld.errors import PhotoBlockedError, PhotoChangedError
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from culld.errors import PhotoError


class NameTakenError(PhotoBlockedError):
    """Another file already has the name that a file should get; nothing was replaced."""


class AdvisedError(OSError):
    """A system error with its own advice, which is more exact than the advice for its number."""

    def __init__(self, cause: OSError, advice: str) -> None:
        """Keep the number of the error, and the advice as a clause."""
        super().__init__(cause.errno, advice)
        self.advice = advice


_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space, culld tries again",
    errno.EDQUOT: "the disk quota is used up; free some space or raise it, culld tries again",
    errno.EROFS: "the file system is read-only; mount it writable, or check the system log for disk errors",
    errno.EACCES: "permission denied; give the user that runs culld read and write access to the file and its folder",
    errno.EPERM: "not permitted; the file must belong to the user that runs culld, and must not be immutable",
    errno.EIO: "the disk reports an error; check the disk and its cable before anything else",
    errno.ELOOP: "it is a link; culld follows no links below a configured folder",
    errno.ENOTDIR: "a link or a file stands where a folder should be; culld follows no links below a configured folder",
    errno.ENAMETOOLONG: "the name is too long for this file system; give the file a shorter name",
    errno.ENXIO: "it is not a plain file; culld skips pipes, sockets and devices",
    errno.ETXTBSY: "another program is using it; culld tries again",
    errno.EBUSY: "another program is using it; culld tries again",
    errno.EAGAIN: "another program is using it; culld tries again",
    errno.ENOTCONN: "the program of its FUSE mount has ended; unmount it with `umount -l` and mount it again",
    errno.EOPNOTSUPP: "this file system cannot rename a file safely (`culld doctor` tries it); use another file system",
    errno.ESTALE: "the network share was interrupted; culld tries again when it is back",
}
_GONE = {errno.ENOENT}


def message_for(error: OSError, path: Path, doing: str) -> PhotoError:
    """Return the PhotoError for a system error; `doing` is a verb, such as `move`."""
    if isinstance(error, AdvisedError):
        return PhotoBlockedError(f"cannot {doing} {display_path(path)}: {error.advice}")
    if error.errno in _GONE:
        return PhotoChangedError(f"cannot {doing} {display_path(path)}: it is not there")
    if error.errno == errno.EEXIST:
        return NameTakenError(f"cannot {doing} {display_path(path)}: the name it should get is already taken")
    code = error.errno or 0
    advice = _ADVICE.get(code, f"{os.strerror(code)}; culld tries again")
    return PhotoBlockedError(f"cannot {doing} {display_path(path)}: {advice}")


@contextmanager
def translate_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn every OSError of the block into a PhotoError about `path`."""
    try:
        yield
    except OSError as error:
        raise message_for(error, path, doing) from error
