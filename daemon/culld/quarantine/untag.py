"""Taking out tags: bit for bit where a file is as culld left it, otherwise by the list of culld's own keywords.

Each file is handled by itself. The journal holds the bytes that each rewrite removed, so a file that no other program
wrote to gets them back. From a file that another program wrote to, only culld's keywords and values are taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from culld.errors import PhotoError
from culld.files.open_beneath import digest_of, exists, open_regular, stamp_of
from culld.files.rewrite import rewrite_file, undo
from culld.files.set_aside import Leftovers
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from culld.quarantine.selection import Selection
    from culld.records import FileStat, Rewrite, RootedPath, TaggedFiles

    Withdraw = Callable[[RootedPath], Rewrite | None]


class TaggedPhotos(Protocol):
    """The part of the journal that `untag` uses."""

    def tagged_places(self) -> list[RootedPath]:
        """Return the paths of the photos that culld wrote to."""

    def tagged(self, place: RootedPath) -> Iterable[TaggedFiles]:
        """Return the decisions about the photo at a path that wrote to files, the newest first."""

    def note_restored(self, plan: str, digests: Collection[str], place: RootedPath, stamp: FileStat | None) -> None:
        """Store that the user took the tags out of the photo at `place`; with these contents it is not judged again."""


@dataclass(frozen=True, slots=True)
class Untagged:
    """A photo whose tags were taken out (or would be), with a note, and the fault that kept some of them."""

    photo: RootedPath
    fault: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class WayBack:
    """How one file gets its old bytes: the rewrites to undo, the newest first.

    `changed` is true if the file was at some time neither what a rewrite had made nor what it had found.
    """

    undo: tuple[Rewrite, ...]
    changed: bool
    digest: str | None
    """The file's digest once the rewrites are undone; None for no file."""


def way_back(digest: str | None, rewrites: Iterable[Rewrite]) -> WayBack:
    """Return the way back of a file with this digest (None: there is no file); its `rewrites` come newest first."""
    steps, changed = [], False
    for rewrite in rewrites:
        if digest == rewrite.after:
            steps.append(rewrite)
            digest = rewrite.before
        elif digest != rewrite.before:
            changed = True
    return WayBack(tuple(steps), changed, digest)


@dataclass(frozen=True, slots=True)
class Removed:
    """The result for the files of a photo: whether anything was taken out (or would be), notes, and faults."""

    done: bool
    notes: tuple[str, ...]
    faults: tuple[str, ...]


def take_out(
    rewrites: Iterable[Rewrite],
    withdraw: Withdraw,
    leftovers: Leftovers,
    *,
    dry_run: bool = False,
    begin: Callable[[], object] = lambda: None,
) -> Removed:
    """Take out what culld wrote to some files, each file by itself; `rewrites` come newest first.

    `withdraw` returns the rewrite that takes culld's keywords out of a file that another program changed, None if it
    holds none. `begin` is called before each file that is changed. A PhotoError of one file becomes one of the faults,
    and the other files are handled all the same.
    """
    by_place: dict[RootedPath, list[Rewrite]] = {}
    for rewrite in rewrites:
        by_place.setdefault(rewrite.place, []).append(rewrite)
    done, notes, faults = False, [], []
    for place, steps in by_place.items():
        try:
            if not dry_run:  # a killed run may have set the file aside while it undid a rewrite
                leftovers.give_back(place, [frozenset({step.before or "", step.after}) for step in steps])
            did, note = _take_out_of(place, steps, withdraw, None if dry_run else begin)
            done |= did
            notes += [note] if note else []
        except PhotoError as error:
            faults.append(f"the tags of {display_path(Path(place.relative.name))} stay: {error}")
    return Removed(done, tuple(notes), tuple(faults))


def _take_out_of(
    place: RootedPath, rewrites: Sequence[Rewrite], withdraw: Withdraw, begin: Callable[[], object] | None
) -> tuple[bool, str]:
    """Take out what culld wrote to one file, unless `begin` is None; return whether there is anything, and a note."""
    way = way_back(digest_at(place), rewrites)
    if way.undo and begin is not None:
        begin()
        for rewrite in way.undo:
            undo(rewrite)
    if not way.changed or way.digest is None:
        return bool(way.undo), ""
    if way.undo and begin is None:  # whether its old bytes hold keywords is known only once they are back
        return True, ""
    rest = withdraw(place)
    if rest is None:
        return bool(way.undo), ""
    if begin is not None:
        begin()
        rewrite_file(rest)
    name = display_path(Path(place.relative.name))
    return True, f"another program changed {name} since: culld's keywords are taken out, the rest stays"


def digest_at(place: RootedPath) -> str | None:
    """Return the digest of the file at a path, None if there is none; raises PhotoError if it cannot be read."""
    if not exists(place):
        return None
    with open_regular(place) as stream:
        return digest_of(stream)


def untag(
    selection: Selection,
    *,
    roots: Collection[Path],
    journal: TaggedPhotos,
    withdraw: Withdraw,
    dry_run: bool,
) -> Iterator[Untagged]:
    """Take out what culld wrote to the selected photos in `roots` and to their sidecars, photo by photo.

    The contents are noted in the journal, so that no daemon judges them again there. A photo without anything to take
    out gives no result. If the iteration is stopped, the remaining photos are not changed.
    """
    leftovers = Leftovers()
    for place in journal.tagged_places():
        if place.root not in roots:
            continue
        found = [
            each for each in journal.tagged(place) if selection.matches((place.path, each.photo.path), each.made_at)
        ]
        if found and (result := untag_photo(place, found, journal, withdraw, leftovers, dry_run=dry_run)) is not None:
            yield result


def untag_photo(
    place: RootedPath,
    found: Sequence[TaggedFiles],
    journal: TaggedPhotos,
    withdraw: Withdraw,
    leftovers: Leftovers,
    *,
    dry_run: bool = False,
) -> Untagged | None:
    """Take out what the decisions `found` wrote to the photo at a path and to its sidecars; None if there is nothing.

    The contents are noted in the journal, so that no daemon judges them again there.
    """
    note = partial(_note_begin, place, found, journal)
    removed = take_out(_rewrites(found), withdraw, leftovers, dry_run=dry_run, begin=note)
    if removed.done and not dry_run:
        _note_end(place, found, journal)
    if not removed.done and not removed.faults:
        return None
    return Untagged(place, "; ".join(removed.faults) or None, "; ".join(removed.notes))


def _rewrites(found: Sequence[TaggedFiles]) -> list[Rewrite]:
    """Return the rewrites of the files of a photo, the newest first, with the paths that the files have now."""
    return [each.follow(rewrite) for each in found for rewrite in reversed(each.rewrites)]


def _note_begin(photo: RootedPath, found: Sequence[TaggedFiles], journal: TaggedPhotos) -> None:
    for each in found:
        journal.note_restored(each.plan, {each.digest}, photo, None)


def _note_end(photo: RootedPath, found: Sequence[TaggedFiles], journal: TaggedPhotos) -> None:
    """Note the contents that the photo has now, with its stamp, so that the next scan skips it."""
    now = digest_at(photo)
    for each in found:
        journal.note_restored(each.plan, {each.digest} | ({now} if now else set()), photo, stamp_of(photo))
