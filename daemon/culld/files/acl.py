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
    """What one user, one group or one class may do: `permissions` are the bits r 4, w 2, x 1."""

    tag: int
    permissions: int
    id: int = _NO_ID


@dataclass(frozen=True, slots=True)
class AccessControl:
    """Who owns a file, and its entries; `listed` says whether it has a list or only a mode."""

    owner: int
    group: int
    entries: tuple[Entry, ...]
    listed: bool

    @classmethod
    def of(cls, descriptor: int) -> AccessControl:
        """The access to an open file; raises OSError, but not where the file system has no lists."""
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
        """The permission bits that stand for these entries alone, by what each may really do."""
        return self._may(USER_OBJ) << 6 | self._may(GROUP_OBJ) << 3 | self._may(OTHER)

    def owned_as(self, found: os.stat_result) -> AccessControl:
        """The same entries of a file that has got another owner or group."""
        return replace(self, owner=found.st_uid, group=found.st_gid)

    def without_list(self) -> AccessControl:
        """The most that a mode alone can allow without letting anyone do what the list denies them."""
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
        """The most that the file may allow in another group: its old and its new group may have been either class."""
        both = self._may(GROUP_OBJ) & self._may(OTHER)
        entries = tuple(
            replace(entry, permissions=both) if entry.tag in {GROUP_OBJ, OTHER} else entry for entry in self.entries
        )
        return replace(self, entries=entries)

    def limited_to_readers(self, photo: AccessControl) -> AccessControl:
        """This access without those, apart from the owner, who may not read the photo."""
        kept = [
            entry
            if entry.tag in {USER_OBJ, MASK} or photo.may_read(entry, self.group)
            else replace(entry, permissions=0)
            for entry in self.entries
        ]
        return replace(self, entries=tuple(kept))

    def may_read(self, theirs: Entry, group: int) -> bool:
        """Whether everyone for whom an entry of another file speaks may read this one; `group` is that file's group.

        A user without an entry is taken for one of the others, whose groups are not looked up.
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
    """Take the list from an open file, if it has one; raises OSError, but not where the file system has no lists."""
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
    """The entries of a list; raises OSError (EIO) if it is not of the format that is known."""
    if len(value) % _ENTRY.size != 4 or struct.unpack_from("<I", value)[0] != _VERSION:
        raise OSError(errno.EIO, "the access list of the file is of an unknown format")
    return tuple(Entry(tag, permissions, number) for tag, permissions, number in _ENTRY.iter_unpack(value[4:]))
