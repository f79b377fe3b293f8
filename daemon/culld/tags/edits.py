"""Byte edits of a file, and the digest of its bytes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from culld.errors import TagRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culld.records import Edit


def digest_of(data: bytes) -> str:
    """The SHA-256 of `data` in hex."""
    return hashlib.sha256(data).hexdigest()


def apply_edits(data: bytes, edits: Sequence[Edit]) -> bytes:
    """Return `data` with all edits, which must be in ascending order.

    Raises TagRefusedError where an edit does not find exactly the bytes that it removes.
    """
    pieces, position = [], 0
    for edit in edits:
        end = edit.offset + len(edit.removed)
        if edit.offset < position or data[edit.offset : end] != edit.removed or end > len(data):
            raise TagRefusedError("the tags no longer fit this file, it was changed meanwhile; it will be judged again")
        pieces += [data[position : edit.offset], edit.inserted]
        position = end
    return b"".join([*pieces, data[position:]])
