"""The stacks of single rows of a table, as `culld.stages.decide` takes them."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.archive.objects.uri import stored_bytes
from culld.archive.parquet.row_in import assessment_of
from culld.archive.parquet.schema import row_schema
from culld.records import Format, Stack, UserMetadata
from culld.stages.decide.decider import metadata_read_with
from culld.stages.group.stacks import shot_of
from culld.tags.names import EDITOR_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy.typing as npt

    from culld.archive.simulation.photo_columns import PhotoColumns
    from culld.archive.simulation.rule_columns import Mask
    from culld.records import Assessment, RootedPath


_PLAIN: Final = re.compile(rb"(?!img_e\d)(?![^.]*burst)[a-z0-9_-]+\.[a-z0-9]+", re.IGNORECASE)
"""A name that says nothing about its shot but by its stem, as of most cameras; `shot_of` reads the others."""


@dataclass(frozen=True, slots=True)
class Shots:
    """The rows of shots of several photos: the rows of the shot of each such row, in order."""

    of: dict[int, tuple[int, ...]]

    def leads(self, count: int) -> Mask:
        """Return the first row of each shot, and all rows of shots of one photo."""
        found = np.ones(count, bool)
        found[[row for rows in self.of.values() for row in rows[1:]]] = False
        return found

    def with_any(self, wanted: Mask) -> npt.NDArray[np.int64]:
        """Return the rows of shots of which a row is wanted."""
        return np.array([row for row, rows in self.of.items() if wanted[list(rows)].any()], np.int64)


def shots_in(photos: PhotoColumns, folders: npt.NDArray[np.int64]) -> Shots:
    """Return the shots of a table of whole folders; `folders` numbers the folder of each row.

    A photo that came later is listed in its own row only, so a name that another row lists counts as well.
    """
    rows = np.flatnonzero(photos.has_siblings & photos.is_judged)
    if not len(rows):
        return Shots({})
    lengths = np.asarray(photos.list_lengths("siblings"))
    shots, several = _grouped(photos, folders, rows)
    odd = [row for shot in shots.values() for row in shot if lengths[row] != len(shot) - 1]
    if late := _listed_by(photos, folders, np.array(odd, np.int64)):
        shots, several = _grouped(photos, folders, np.sort(np.append(rows, late)))
    return Shots({row: tuple(shot) for name, shot in shots.items() if name in several for row in shot})


def _grouped(
    photos: PhotoColumns, folders: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
) -> tuple[dict[tuple[int, str], list[int]], set[tuple[int, str]]]:
    """Return rows by folder and name of the shot, and which of these names are those of several photos of one shot."""
    shots: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    raw = (photos.words("format")[rows] == str(Format.RAW)).tolist()
    several = set()
    known = zip(rows.tolist(), folders[rows].tolist(), photos.keys_of(rows), raw, strict=True)
    for row, folder, key, is_raw in known:
        stem, name = _stem_and_shot(key.rpartition(b"/")[2])
        shots[folder, name].append(row)
        if is_raw or stem != name:
            several.add((folder, name))
    return shots, several


def _listed_by(photos: PhotoColumns, folders: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> list[int]:
    """Return the rows without siblings that some rows list as theirs."""
    if not len(rows):
        return []
    listed = photos.table["siblings"].take(rows).to_pylist()
    named = {(folder, name) for folder, names in zip(folders[rows].tolist(), listed, strict=True) for name in names}
    others = np.flatnonzero(~photos.has_siblings & photos.is_judged & np.isin(folders, [at for at, _ in named]))
    known = zip(others.tolist(), folders[others].tolist(), photos.keys_of(others), strict=True)
    return [row for row, folder, key in known if (folder, shown_name(key)) in named]


def _stem_and_shot(name: bytes) -> tuple[str, str]:
    """Return the stem of a name, case-folded, and the name of its shot; nearly all names are plain."""
    if _PLAIN.fullmatch(name):
        stem = name.partition(b".")[0].decode().lower()
        return stem, stem
    text = os.fsdecode(name)
    return PurePath(text.casefold()).stem, shot_of(text)


def shown_name(key: bytes) -> str:
    """Return the name of a path as the rows of its siblings list it."""
    return key.rpartition(b"/")[2].decode("utf-8", "backslashreplace")


@dataclass(slots=True)
class RowStacks:
    """The stacks of a table. `facts_of` reads the facts of rows; `is_gone` returns whether a path has no file any more.

    Facts are read where the user marked the photo, or `all_facts` holds: only rules look at the others.
    """

    photos: PhotoColumns
    shots: Shots
    facts_of: Callable[[Sequence[int]], list[str | None]]
    is_gone: Callable[[bytes], bool]
    all_facts: bool
    _blank: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(row_schema().names))
    _rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    _known: dict[int, Assessment] = field(default_factory=dict)
    _shots: dict[tuple[int, ...], list[Stack]] = field(default_factory=dict)

    def load(self, rows: Iterable[int]) -> None:
        """Take the values of some rows, and of the other rows of their shots, at once."""
        wanted = {each for row in rows for each in self.shots.of.get(row, (row,))}
        fresh = sorted(each for each in wanted if each not in self._rows)
        if fresh:
            found = self.photos.table.take(fresh).to_pylist()
            self._rows |= {number: {**self._blank, **row} for number, row in zip(fresh, found, strict=True)}

    def load_stacks(self, rows: Iterable[int]) -> None:
        """Take the values of some rows, and of the other rows of their shots, with the facts that a decision needs."""
        wanted = sorted({each for row in rows for each in self.shots.of.get(row, (row,))})
        self.load(wanted)
        needing = [row for row in wanted if self._needs_facts(self._rows[row])]
        if needing:
            for row, facts in zip(needing, self.facts_of(needing), strict=True):
                self._rows[row]["facts"] = facts or ""
                self._known.pop(row, None)

    def _needs_facts(self, row: Mapping[str, Any]) -> bool:
        return row["facts"] is None and (self.all_facts or row["marked"] is not False)

    def assessment(self, row: int) -> Assessment:
        """Return the photo of a row."""
        if row not in self._known:
            if row not in self._rows:
                self.load([row])
            self._known[row] = assessment_of(self._rows[row], self.photos.root_paths[self.photos.roots[row]])
        return self._known[row]

    def stack(self, row: int) -> Stack:
        """Return the stack of a row, without its series."""
        rows = self.shots.of.get(row, (row,))
        if rows not in self._shots:
            self.load_stacks(rows)
            members = tuple(self.assessment(each) for each in rows)
            shot = [self._alone(at, members, self._rows[each]) for at, each in enumerate(rows)]
            self._shots[rows] = [_together(own, shot) if own.siblings else own for own in shot]
        return self._shots[rows][rows.index(row)]

    def _alone(self, at: int, members: tuple[Assessment, ...], row: Mapping[str, Any]) -> Stack:
        """Return the stack of a photo with its own files; a sibling that has no judgement is one that blocks."""
        place, siblings = members[at].photo.place, (*members[:at], *members[at + 1 :])
        known = {shown_name(stored_bytes(each.photo.place.path)) for each in siblings}
        missing = [name for name in row["siblings"] or () if name not in known and not self._is_gone(place, name)]
        sidecars = tuple(map(place.beside, row["sidecars"] or ()))
        edits = tuple(each for each in sidecars if PurePath(each.relative.name.casefold()).suffix in EDITOR_SUFFIXES)
        blocking = tuple(map(place.beside, [*(row["blocking"] or ()), *missing]))
        stack = Stack(members[at], sidecars, blocking, siblings, edits)
        return replace(stack, user_metadata=metadata_read_with(stack) or UserMetadata())

    def _is_gone(self, place: RootedPath, name: str) -> bool:
        return self.is_gone(stored_bytes(place.beside(name).path))


def _together(own: Stack, shot: Sequence[Stack]) -> Stack:
    """Return a stack with what its siblings say, as `stacks.group` does: a file that blocks one of them blocks all."""
    taken = {place for stack in shot for place in stack.sidecars}
    blocking = tuple(dict.fromkeys(place for stack in shot for place in stack.blocking_files if place not in taken))
    edits = tuple(place for stack in shot for place in stack.editor_sidecars)
    others = tuple(place for stack in shot for place in stack.sidecars if place not in own.sidecars)
    found = replace(own, blocking_files=blocking, editor_sidecars=edits, sibling_sidecars=others)
    return replace(found, user_metadata=metadata_read_with(found) or UserMetadata())
