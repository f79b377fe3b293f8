"""Giving a file back the bytes that it had before a rewrite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.files.remove_own import remove_sidecar
from culld.files.rewrite import rewrite_file
from culld.records import Edit, Rewrite

if TYPE_CHECKING:
    from collections.abc import Sequence


def inverse(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """The edits that lead from the new bytes back to the old ones, bit for bit."""
    back, shift = [], 0
    for edit in edits:
        back.append(Edit(edit.offset + shift, edit.inserted, edit.removed))
        shift += len(edit.inserted) - len(edit.removed)
    return tuple(back)


def undo(rewrite: Rewrite) -> None:
    """Take a rewrite back; a sidecar that it made is removed. Raises PhotoError if the file is not what it made."""
    if rewrite.before is None:
        remove_sidecar(rewrite.place, rewrite.after)
    else:
        rewrite_file(Rewrite(rewrite.place, rewrite.after, rewrite.before, inverse(rewrite.edits)))
