"""What belongs to a file besides its bytes: owner, mode, extended attributes, times."""

from __future__ import annotations

import errno
import logging
import os
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

_REFUSALS = {errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
# Attributes that people and their programs set; the other namespaces are the system's own affair.
_PERSONAL = ("user.", "system.posix_acl_")


def copy_metadata(source: int, target: int, *, strict: bool) -> None:
    """Give one open file the owner, mode, attributes and times of another.

    With `strict` an owner, mode or personal attribute that cannot be kept raises OSError; without it the loss is
    logged, since another file system may know no such thing. Set-user-id and the like are never carried over.
    """
    found = os.fstat(source)
    present = os.fstat(target)
    if (present.st_uid, present.st_gid) != (found.st_uid, found.st_gid):
        _attempt(lambda: os.fchown(target, found.st_uid, found.st_gid), "owner", strict=strict)
    _attempt(lambda: os.fchmod(target, found.st_mode & 0o777), "mode", strict=strict)
    _copy_attributes(source, target, strict=strict)
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))


def _copy_attributes(source: int, target: int, *, strict: bool) -> None:
    try:
        names = os.listxattr(source)
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        return
    for name in names:
        value = os.getxattr(source, name)
        must = strict and name.startswith(_PERSONAL)
        _attempt(partial(os.setxattr, target, name, value), f"attribute {name}", strict=must)


def _attempt(change: Callable[[], None], what: str, *, strict: bool) -> None:
    try:
        change()
    except OSError as error:
        if strict or error.errno not in _REFUSALS:
            raise
        log.info("the %s of a file could not be kept: %s", what, error.strerror)
