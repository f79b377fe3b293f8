"""Taking tags back, bit for bit: the journal holds the bytes that each rewrite removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.disk.beneath import stamp_of
from culld.disk.undoing import is_undone, undo
from culld.errors import PhotoError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from culld.ports import Restorations
    from culld.quarantine.restore import Selection
    from culld.records import Place, Rewrite, Tagged


@dataclass(frozen=True, slots=True)
class Untagged:
    """A photo whose tags were taken back (or would be), or the fault that kept them."""

    photo: Place
    fault: str | None = None


def untag(
    tagged: Iterable[Tagged],
    selection: Selection,
    *,
    roots: Collection[Path],
    journal: Restorations,
    dry_run: bool,
) -> list[Untagged]:
    """Give the selected photos in `roots`, and their sidecars, the bytes that they had before culld wrote to them.

    `tagged` comes newest first. What was changed since by somebody else stays as it is. The contents are noted in the
    journal, so that no daemon tags them again. A second time nothing is left to do.
    """
    results: dict[Place, Untagged] = {}
    for each in tagged:
        photo = each.now
        if photo.root not in roots or not selection.matches((photo.path, each.photo.path), each.made_at):
            continue
        try:
            left = [rewrite for rewrite in map(each.follow, each.rewrites) if not is_undone(rewrite)]
            if not left:
                continue
            if not dry_run:
                _undo(each, left, journal)
            results[photo] = results.get(photo) or Untagged(photo)
        except PhotoError as error:
            results[photo] = Untagged(photo, str(error))
    return list(results.values())


def _undo(tagged: Tagged, rewrites: list[Rewrite], journal: Restorations) -> None:
    journal.note_restored(tagged.plan, {tagged.digest}, tagged.now, None)
    for rewrite in reversed(rewrites):
        undo(rewrite)
    journal.note_restored(tagged.plan, {tagged.digest}, tagged.now, stamp_of(tagged.now))
