"""Giving a file back the bytes that it had before a rewrite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.disk.beneath import digest_of, exists, open_regular
from culld.disk.clearing import remove_sidecar
from culld.disk.publish import publish
from culld.errors import PhotoChangedError
from culld.records import Edit, Rewrite, printable

if TYPE_CHECKING:
    from collections.abc import Sequence


def inverse(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """The edits that lead from the new bytes back to the old ones, bit for bit."""
    back, shift = [], 0
    for edit in edits:
        back.append(Edit(edit.offset + shift, edit.inserted, edit.removed))
        shift += len(edit.inserted) - len(edit.removed)
    return tuple(back)


def is_undone(rewrite: Rewrite) -> bool:
    """Whether the file is what it was before the rewrite; raises PhotoChangedError if it is neither that nor after."""
    if not exists(rewrite.place):
        return rewrite.before is None
    with open_regular(rewrite.place) as stream:
        digest = digest_of(stream)
    if digest not in {rewrite.before, rewrite.after}:
        raise PhotoChangedError(f"{printable(rewrite.place.path)} was changed since; its tags stay")
    return digest == rewrite.before


def undo(rewrite: Rewrite) -> None:
    """Take a rewrite back; a sidecar that it made is removed. Raises PhotoError if the file is not what it made."""
    if rewrite.before is None:
        remove_sidecar(rewrite.place, rewrite.after)
    else:
        publish(Rewrite(rewrite.place, rewrite.after, rewrite.before, inverse(rewrite.edits)))
