"""Which photos may be in a series with which others, by columns: most photos are in none, and are not compared alone.

Photos of a folder and camera are put in the order of time and cut where no series can go on: between two photos that
have another aperture, ISO or focal length, and whose hashes, and those of the photos around, show other scenes. A part
of the order in which no two photos may show one scene, no exposure climbs and no view turns has no series. All limits
are those of `culld.stages.group`; where these would decide, `series_of` does it, on the photos of the whole part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.archive.simulation.hash_links import are_near, overlaps, words_of
from culld.stages.group.brackets import HAND_STEP_EV, SAME_LEVEL_EV
from culld.stages.group.panoramas import ENOUGH, LONGEST_TURN_S, MOST, NEUTRAL, WANDER_EV, moves
from culld.stages.group.scene import ALIKE, ALIKE_EXPOSURES, NEIGHBOURS
from culld.stages.group.series import LONGEST_GAP_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from culld.archive.simulation.photo_columns import PhotoColumns
    from culld.archive.simulation.rule_columns import Mask

    Rows = npt.NDArray[np.int64]
    Numbers = npt.NDArray[np.float64]

_SLACK: Final = 1e-6
"""What a calculation in another order may change, in seconds and EV."""
_MOVES: Final = tuple(moves())


@dataclass(frozen=True, slots=True)
class Part:
    """Rows in the order of time that are in no series with others; `may_turn` is whether a panorama may be among them.

    Without `may_have_series` they are in none at all.
    """

    rows: Rows
    may_have_series: bool
    may_turn: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """Rows of timed photos, one of each shot, by group (folder and camera) and time; `starts` begin a run each.

    A run ends before a pause that is too long for a series.
    """

    photos: PhotoColumns
    rows: Rows
    starts: Mask

    def runs_of(self, wanted: Mask) -> Iterator[Part]:
        """Yield the runs with a wanted row."""
        number = np.cumsum(self.starts) - 1
        hit = np.zeros(number[-1] + 1 if len(number) else 0, bool)
        hit[number[wanted[self.rows]]] = True
        for rows in _split(self.rows, self.starts, hit):
            yield Part(rows, may_have_series=True, may_turn=True)

    def parts_of(self, wanted: Mask) -> Iterator[Part]:
        """Yield the parts of the runs with a wanted row."""
        at = np.flatnonzero(self._in_runs(wanted[self.rows]))
        if len(at):
            yield from _Stretch(self.photos, self.rows[at], self.starts[at]).parts(wanted)

    def _in_runs(self, wanted: Mask) -> Mask:
        number = np.cumsum(self.starts) - 1
        hit = np.zeros(number[-1] + 1 if len(number) else 0, bool)
        hit[number[wanted]] = True
        return np.asarray(hit[number])


def timeline(photos: PhotoColumns, groups: Rows, leads: Mask) -> Timeline:
    """Return the timed photos among `leads` in order; `groups` holds folder and camera of each row.

    Of the copies of a photo in a group only the first one counts.
    """
    rows = np.flatnonzero(leads & photos.known("taken_at") & photos.is_judged)
    rows = rows[np.lexsort((rows, photos.micros[rows], groups[rows]))]
    rows = rows[~_is_copy(photos, rows, groups)]
    moments = photos.micros[rows] / 1e6
    exposure = np.nan_to_num(photos.setting("exposure_s")[rows])
    starts = np.ones(len(rows), bool)
    longest = LONGEST_GAP_S + 2 * exposure[:-1] + _SLACK
    starts[1:] = (groups[rows][1:] != groups[rows][:-1]) | (np.diff(moments) > longest)
    return Timeline(photos, rows, starts)


def _is_copy(photos: PhotoColumns, rows: Rows, groups: Rows) -> Mask:
    """Return which of the ordered rows have the content of an earlier one of the same group and time."""
    same = (np.diff(groups[rows]) == 0) & (np.diff(photos.micros[rows]) == 0)
    found = np.zeros(len(rows), bool)
    seen: set[tuple[int, int, bytes]] = set()
    doubtful = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False)) if len(rows) else rows
    digests = photos.table["digest"].take(rows[doubtful]).to_pylist()
    for at, digest in zip(doubtful, digests, strict=True):
        key = (int(groups[rows[at]]), int(photos.micros[rows[at]]), digest)
        found[at] = key in seen
        seen.add(key)
    return found


class _Stretch:
    """Runs in order, cut into parts."""

    def __init__(self, photos: PhotoColumns, rows: Rows, starts: Mask) -> None:
        """Take the settings, times and hashes of the rows."""
        self._rows = rows
        self._run = np.cumsum(starts)
        self._moments = photos.micros[rows] / 1e6
        self._exposure = photos.setting("exposure_s")[rows]
        self._setup = _codes([photos.setting(name)[rows] for name in ("aperture", "iso", "focal_mm")])
        self._hashed = photos.known("dhash")[rows]
        self._words = words_of(photos.hashes(rows))
        self._ties = self._is_tied()

    def parts(self, wanted: Mask) -> Iterator[Part]:
        """Yield the parts that hold a wanted row."""
        links, linked = self._links()
        cut = self._cuts(linked)
        part = np.cumsum(cut) - 1
        hit = np.zeros(part[-1] + 1, bool)
        hit[part[wanted[self._rows]]] = True
        inside = hit[part]
        active, turning = np.zeros_like(hit), np.zeros(len(hit))
        for at in (*links, np.flatnonzero(self._ties), self._climbing()):
            active[part[at]] = True
        np.add.at(turning, *self._turning(part, inside))
        may_turn = (turning >= ENOUGH - _SLACK) | _any_in(part, self._ties)
        active |= may_turn
        kept = [(active[at], may_turn[at]) for at in np.flatnonzero(hit)]
        for rows, (may_have_series, turns) in zip(_split(self._rows, cut, hit), kept, strict=True):
            yield Part(rows, may_have_series=bool(may_have_series), may_turn=bool(turns))

    def _is_tied(self) -> Mask:
        """Return which photos have the time of a neighbour: their order depends on their names."""
        same = (np.diff(self._moments) == 0) & (np.diff(self._run) == 0)
        return np.asarray(np.append(same, False) | np.insert(same, 0, False))

    def _links(self) -> tuple[list[Rows], Mask]:
        """Return the first places of pairs that may show one scene, and between which photos such a pair lies.

        The second value is True at a place if a pair lies on both sides of the cut before it.
        """
        count, found = len(self._rows), []
        crossed = np.zeros(count + 1, np.int64)
        for lag in range(1, NEIGHBOURS + 1):
            at = np.flatnonzero((self._run[lag:] == self._run[:-lag]) & self._hashed[lag:] & self._hashed[:-lag])
            near = are_near(self._words[..., at], self._words[..., at + lag], ALIKE, ALIKE_EXPOSURES)
            at = at[near]
            found.append(at)
            np.add.at(crossed, at + 1, 1)
            np.add.at(crossed, at + lag + 1, -1)
        return found, np.cumsum(crossed)[:count] > 0

    def _cuts(self, linked: Mask) -> Mask:
        """Return before which photos no series can go on."""
        count = len(self._rows)
        new_run = np.append(True, np.diff(self._run) != 0)
        near_tie = np.zeros(count, bool)
        for shift in range(-NEIGHBOURS, NEIGHBOURS):
            places = np.flatnonzero(self._ties) + shift + 1
            near_tie[places[(places >= 0) & (places < count)]] = True
        free = new_run | ~(linked | near_tie)
        scene = np.cumsum(free) - 1
        mixed = np.zeros(scene[-1] + 1, bool)
        other_setup = np.append(False, np.diff(self._setup) != 0)
        mixed[scene[other_setup & ~free]] = True
        differs = other_setup & ~mixed[scene] & ~np.append(False, mixed[scene][:-1])
        return np.asarray(new_run | (free & differs))

    def _steps(self) -> Numbers:
        """Return the change of the light value before each photo, if only the exposure time changes; else 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            change = -np.diff(np.log2(self._exposure))
        same = (np.diff(self._setup) == 0) & (np.diff(self._run) == 0) & ~np.isnan(change)
        return np.append(0.0, np.where(same & (np.abs(change) >= HAND_STEP_EV - _SLACK), change, 0.0))

    def _climbing(self) -> Rows:
        """Return the last places of three steps in a row of one size: the least ladder of exposures."""
        steps = self._steps()
        even = np.append(False, (np.abs(np.diff(steps)) <= SAME_LEVEL_EV + _SLACK) & (steps[1:] != 0))
        return np.flatnonzero(even & np.append(False, even[:-1]))

    def _turning(self, part: Rows, inside: Mask) -> tuple[Rows, Numbers]:
        """Return the parts of pairs that may belong to a panorama, and how much each speaks for one."""
        with np.errstate(divide="ignore", invalid="ignore"):
            change = np.abs(np.diff(np.log2(self._exposure)))
        pause = np.diff(self._moments) - np.nan_to_num(self._exposure[:-1])
        may = (
            inside[1:] & (np.diff(self._run) == 0) & (np.diff(self._setup) == 0) & self._hashed[1:] & self._hashed[:-1]
        )
        may &= ~(change > WANDER_EV + _SLACK) & (pause <= LONGEST_TURN_S + _SLACK)
        at = np.flatnonzero(may)
        evidence = np.minimum(overlaps(self._words[..., at], self._words[..., at + 1], _MOVES) - NEUTRAL, MOST)
        return part[at], np.maximum(evidence, 0.0)


def _codes(columns: list[Numbers]) -> Rows:
    """Return a number for each combination of values; a value that is not known is one of them."""
    found = np.zeros(len(columns[0]), np.int64)
    for values in columns:
        _, places = np.unique(np.nan_to_num(values, nan=-math.inf), return_inverse=True)
        found = found * (int(places.max(initial=0)) + 1) + places
    return found


def _any_in(part: Rows, marked: Mask) -> Mask:
    found = np.zeros(part[-1] + 1, bool)
    found[part[marked]] = True
    return found


def _split(rows: Rows, starts: Mask, wanted: Mask) -> Iterator[Rows]:
    """Yield the rows between starts, those of which `wanted` holds."""
    begins = np.flatnonzero(starts)
    ends = np.append(begins[1:], len(rows))
    for start, end in zip(begins[wanted], ends[wanted], strict=True):
        yield rows[start:end]
