"""POSIX access control lists in the form in which the kernel stores them.

The format is that of the attribute `system.posix_acl_access` (Linux, `include/uapi/linux/posix_acl_xattr.h`); what the
entries mean is in acl(5). With a list the group bits of the mode are its mask, not what the owning group may do.
"""

from __future__ import annotations

import errno
import os
import struct
from dataclasses import dataclass, replace
from typing import Final

ATTRIBUTE: Final = "system.posix_acl_access"
UNSUPPORTED: Final = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
"""The errors of a file system without access control lists."""

USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_VERSION: Final = 2
_ENTRY: Final = struct.Struct("<HHI")
_NO_ID: Final = 0xFFFFFFFF
_READ: Final = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """The permissions of one user, group or class, as the bits r 4, w 2, x 1."""

    tag: int
    permissions: int
    id: int = _NO_ID


@dataclass(frozen=True, slots=True)
class AccessControl:
    """The owner, the group and the entries of a file; `listed` is false for a file that has only a mode."""

    owner: int
    group: int
    entries: tuple[Entry, ...]
    listed: bool

    @classmethod
    def of(cls, descriptor: int) -> AccessControl:
        """Return the access to an open file; raises OSError, but not where the file system has no lists."""
        found = os.fstat(descriptor)
        value = _value(descriptor)
        if value is not None:
            return cls(found.st_uid, found.st_gid, _parsed(value), listed=True)
        bits = found.st_mode
        entries = (Entry(USER_OBJ, bits >> 6 & 7), Entry(GROUP_OBJ, bits >> 3 & 7), Entry(OTHER, bits & 7))
        return cls(found.st_uid, found.st_gid, entries, listed=False)

    @property
    def value(self) -> bytes:
        """The list as the kernel stores it."""
        packed = (_ENTRY.pack(entry.tag, entry.permissions, entry.id) for entry in self.entries)
        return struct.pack("<I", _VERSION) + b"".join(packed)

    @property
    def mode(self) -> int:
        """The mode that stands for these entries: the effective permissions of owner, group and others."""
        return self._may(USER_OBJ) << 6 | self._may(GROUP_OBJ) << 3 | self._may(OTHER)

    def owned_as(self, found: os.stat_result) -> AccessControl:
        """Return the same entries with the owner and the group of `found`."""
        return replace(self, owner=found.st_uid, group=found.st_gid)

    def without_list(self) -> AccessControl:
        """Return the widest access without a list that grants no user a right which the list denies."""
        named = 7
        for entry in self.entries:
            if entry.tag in {USER, GROUP}:
                named &= self._effective(entry)
        classes = (
            Entry(USER_OBJ, self._may(USER_OBJ)),
            Entry(GROUP_OBJ, self._may(GROUP_OBJ) & named),
            Entry(OTHER, self._may(OTHER) & named),
        )
        return replace(self, entries=classes, listed=False)

    def in_another_group(self) -> AccessControl:
        """Return the widest access that is safe when the file gets another group.

        Group and others get only the permissions that both had, because a member of either group may change class.
        """
        both = self._may(GROUP_OBJ) & self._may(OTHER)
        entries = tuple(
            replace(entry, permissions=both) if entry.tag in {GROUP_OBJ, OTHER} else entry for entry in self.entries
        )
        return replace(self, entries=entries)

    def limited_to_readers(self, photo: AccessControl) -> AccessControl:
        """Return this access without the users and groups, except the owner, that may not read the photo."""
        kept = [
            entry
            if entry.tag in {USER_OBJ, MASK} or photo.may_read(entry, self.group)
            else replace(entry, permissions=0)
            for entry in self.entries
        ]
        return replace(self, entries=tuple(kept))

    def may_read(self, theirs: Entry, group: int) -> bool:
        """Whether every user to whom an entry of another file applies may read this one; `group` is that file's group.

        A user without an entry counts as one of the others; the groups of users are not looked up.
        """
        if theirs.tag == USER:
            own = USER_OBJ if theirs.id == self.owner else None
            return self._reads(own) if own else self._reads(USER, theirs.id, OTHER)
        users = all(self._effective(entry) & _READ for entry in self.entries if entry.tag == USER)
        if theirs.tag == OTHER:
            groups = all(self._effective(entry) & _READ for entry in self.entries if entry.tag in {GROUP, GROUP_OBJ})
            return users and groups and self._reads(OTHER)
        number = group if theirs.tag == GROUP_OBJ else theirs.id
        return users and (self._reads(GROUP_OBJ) if number == self.group else self._reads(GROUP, number, OTHER))

    def _reads(self, tag: int, number: int = _NO_ID, otherwise: int | None = None) -> bool:
        return bool(self._may(tag, number, otherwise) & _READ)

    def _may(self, tag: int, number: int = _NO_ID, otherwise: int | None = None) -> int:
        for entry in self.entries:
            if entry.tag == tag and number in {_NO_ID, entry.id}:
                return self._effective(entry)
        return 0 if otherwise is None else self._may(otherwise)

    def _effective(self, entry: Entry) -> int:
        if entry.tag in {USER_OBJ, OTHER, MASK}:
            return entry.permissions
        mask = next((each.permissions for each in self.entries if each.tag == MASK), 7)
        return entry.permissions & mask


def remove(descriptor: int) -> None:
    """Remove the list of an open file, if it has one; raises OSError, but not where the file system has no lists."""
    if _value(descriptor) is not None:
        os.removexattr(descriptor, ATTRIBUTE)


def _value(descriptor: int) -> bytes | None:
    try:
        return os.getxattr(descriptor, ATTRIBUTE)
    except OSError as error:
        if error.errno == errno.ENODATA or error.errno in UNSUPPORTED:
            return None
        raise


def _parsed(value: bytes) -> tuple[Entry, ...]:
    """Return the entries of a list; raises OSError (EIO) if its format is unknown."""
    if len(value) % _ENTRY.size != 4 or struct.unpack_from("<I", value)[0] != _VERSION:
        raise OSError(errno.EIO, "the access list of the file is of an unknown format")
    return tuple(Entry(tag, permissions, number) for tag, permissions, number in _ENTRY.iter_unpack(value[4:]))
