"""The metadata of a file: owner, group, access, extended attributes, times."""

from __future__ import annotations

import errno
import grp
import logging
import os
import stat
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from culld.files import acl
from culld.files.acl import AccessControl
from culld.files.os_errors import AdvisedError
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

_REFUSALS = {errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
# The namespace of attributes that users and their programs set; the system sets those of the others.
_PERSONAL = "user."
# The errors for a value that is larger than the file system can store (setxattr(2); ENOSPC on ext4 and btrfs).
_TOO_LARGE = {errno.ENOSPC, errno.E2BIG, errno.ERANGE}
_FREE_ENOUGH = 1 << 20
"""With at least this many free bytes the value is too large; with fewer the disk is full."""


def copy_metadata(source: int, target: int, *, strict: bool) -> None:
    """Give one open file the owner, group, access, attributes and times of another.

    The target gets the permissions and the access list (ACL) of the source and no more: a list that it inherited from
    its folder is removed. With `strict` an owner, group or personal attribute that cannot be kept raises OSError.
    Without it the loss is logged, since another file system may not support it, and the permissions are narrowed so
    that no user gains access. A personal attribute that is too large for the target's file system always raises
    AdvisedError. Set-user-id and the like are never carried over.
    """
    found = os.fstat(source)
    _keep_owner(found, target, strict=strict)
    _keep_access(source, target, strict=strict)
    _copy_attributes(source, target, strict=strict)
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))


def limit_access(photo: int, new: int) -> None:
    """Remove access to a new file about a photo from users who may not read the photo; both files are open.

    If access has to be removed, the new file gets the photo's owner and group as far as the system allows it,
    so that those who may read the photo may read the file. Raises OSError.
    """
    theirs = AccessControl.of(photo)
    created = AccessControl.of(new)
    if created == created.limited_to_readers(theirs):
        return
    _give(created.limited_to_readers(theirs), new, strict=False)
    _keep_owner(os.fstat(photo), new, strict=False)
    _give(created.owned_as(os.fstat(new)).limited_to_readers(theirs), new, strict=False)


def group_refusal(found: os.stat_result, folder: os.stat_result) -> str | None:
    """Return why a new file in an open folder could not get the group of the file that it replaces; None if it could.

    Its owner may only give it a group of which this process is a member (chown(2)), and in a folder with the
    set-group-id bit it gets the group of the folder (inode(7)).
    """
    inherited = folder.st_gid if folder.st_mode & stat.S_ISGID else os.getegid()
    if os.geteuid() == 0 or found.st_gid in {inherited, os.getegid(), *os.getgroups()}:
        return None
    return (
        f"its group is {_group_name(found.st_gid)}, which a new file could not get, since the user that runs culld is "
        "not a member of it; add the user to that group, or change the file's group"
    )


def _group_name(number: int) -> str:
    try:
        return f"'{grp.getgrgid(number).gr_name}'"
    except KeyError:
        return f"number {number}"


def _keep_owner(found: os.stat_result, target: int, *, strict: bool) -> None:
    present = os.fstat(target)
    if present.st_gid != found.st_gid:
        what = f"group {_group_name(found.st_gid)}"
        _attempt(lambda: os.fchown(target, -1, found.st_gid), what, strict=strict)
    if present.st_uid != found.st_uid:
        _attempt(lambda: os.fchown(target, found.st_uid, -1), "owner", strict=strict)


def _keep_access(source: int, target: int, *, strict: bool) -> None:
    try:
        access = AccessControl.of(source)
        if os.fstat(target).st_gid != access.group:
            access = access.in_another_group()
        _give(access, target, strict=strict)
    except AdvisedError:
        raise
    except OSError as error:
        raise AdvisedError(error, f"its access list (ACL) cannot be kept: {error.strerror}; see getfacl") from error


def _give(access: AccessControl, target: int, *, strict: bool) -> None:
    """Give an open file the entries of `access` and no others; without a list if its file system has none."""
    if access.listed:
        try:
            os.setxattr(target, acl.ATTRIBUTE, access.value)
        except OSError as error:
            if strict or error.errno not in acl.UNSUPPORTED:
                raise
            log.warning("the access list of a file could not be kept; its mode allows nothing that the list denied")
        else:
            return
        access = access.without_list()
    acl.remove(target)  # before fchmod, which would change the mask of a list
    _attempt(lambda: os.fchmod(target, access.mode), "mode", strict=strict)


def _copy_attributes(source: int, target: int, *, strict: bool) -> None:
    try:
        names = os.listxattr(source)
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        return
    for name in names:
        if name == acl.ATTRIBUTE:
            continue
        value = os.getxattr(source, name)
        personal = name.startswith(_PERSONAL)
        change = partial(_set_attribute, target, name, value) if personal else partial(os.setxattr, target, name, value)
        _attempt(change, f"attribute {name}", strict=strict and personal)


def _set_attribute(target: int, name: str, value: bytes) -> None:
    try:
        os.setxattr(target, name, value)
    except OSError as error:
        space = os.fstatvfs(target)
        if error.errno not in _TOO_LARGE or space.f_bavail * space.f_frsize < _FREE_ENOUGH:
            raise
        raise AdvisedError(
            error,
            f"its extended attribute {display_path(Path(name))} of {len(value):,} bytes does not fit on the file "
            "system where it would go; set `quarantine` to a folder on the file system of the photo, or remove "
            "the attribute",
        ) from error


def _attempt(change: Callable[[], None], what: str, *, strict: bool) -> None:
    try:
        change()
    except AdvisedError:
        raise
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        if strict:
            raise AdvisedError(error, f"its {what} cannot be kept: {error.strerror}") from error
        log.info("the %s of a file could not be kept: %s", what, error.strerror)
