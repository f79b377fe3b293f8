"""Counts and examples of a simulation from the outcomes of one table after the other."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.archive.simulation.outcomes import OUTCOMES, Example, Kind, Outcome
from culld.archive.simulation.screen import FAILED, NO_RULE, REJECTED, TAGGED
from culld.records import Defect, display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from culld.archive.simulation.judge import Judged
    from culld.archive.simulation.outcomes import Group, Simulation
    from culld.archive.simulation.photo_columns import PhotoColumns
    from culld.records import Decision

    Codes = npt.NDArray[np.int64]
    _Wanted = tuple[Group, Outcome, int]
    """A row that a group lacks as an example of an outcome."""

UNKNOWN: Final = "unknown"
"""The name of the group of photos whose camera or month is not known."""
_LOUD: Final = frozenset({Outcome.TAGGED, Outcome.QUARANTINED})
"""The outcomes of which each group has examples; a rule has them of all."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Adds the outcomes of tables to a simulation."""

    simulation: Simulation

    def add(
        self, photos: PhotoColumns, judged: Judged, decisions: Callable[[Sequence[int]], Sequence[Decision]]
    ) -> None:
        """Add the rows of one table; `decisions` returns those about rows that columns settled, for their reasons."""
        totals = np.bincount(judged.outcomes, minlength=len(OUTCOMES))
        for outcome, number in zip(OUTCOMES, totals.tolist(), strict=True):
            self.simulation.count(outcome, number)
        self.simulation.protected += int((judged.is_bad & (judged.outcomes < REJECTED)).sum())
        wanted: list[_Wanted] = []
        for kind, codes, names in _groups(photos, judged):
            self._add_kind(kind, codes, names, judged.outcomes)
            wanted += self._lacking(kind, codes, names, judged.outcomes)
        rows = sorted({row for _, _, row in wanted})
        settled = [row for row in rows if row not in judged.decisions]
        known = dict(zip(settled, decisions(settled), strict=True))
        self._add_examples(wanted, photos, {row: known.get(row) or judged.decisions[row] for row in rows})

    def _add_kind(self, kind: Kind, codes: Codes, names: list[str], outcomes: npt.NDArray[np.int8]) -> None:
        inside = codes >= 0
        width = len(OUTCOMES)
        counts = np.bincount(codes[inside] * width + outcomes[inside], minlength=len(names) * width)
        for name, row in zip(names, counts.reshape(-1, width).tolist(), strict=True):
            if any(row):
                group = self.simulation.group(kind, name)
                for outcome, number in zip(OUTCOMES, row, strict=True):
                    if number:
                        group.counts[outcome] = group.counts.get(outcome, 0) + number

    def _add_examples(self, wanted: Sequence[_Wanted], photos: PhotoColumns, known: Mapping[int, Decision]) -> None:
        keys = dict(zip(known, photos.keys_of(np.array(list(known), np.int64)), strict=True))
        for group, outcome, row in wanted:
            path = display_path(Path(os.fsdecode(keys[row])))
            group.examples.append(Example(path, outcome, known[row].reason))

    def _lacking(self, kind: Kind, codes: Codes, names: list[str], outcomes: npt.NDArray[np.int8]) -> Iterator[_Wanted]:
        """Yield the rows that groups lack as examples."""
        for place, outcome in enumerate(OUTCOMES[:FAILED]):
            if kind is not Kind.RULE and outcome not in _LOUD:
                continue
            rows = np.flatnonzero(outcomes == place)
            inside = codes[rows]
            for at in np.unique(inside[inside >= 0]).tolist():
                group = self.simulation.group(kind, names[at])
                if (lacking := group.lacks(outcome)) > 0:
                    yield from ((group, outcome, row) for row in rows[inside == at][:lacking].tolist())


def _groups(photos: PhotoColumns, judged: Judged) -> Iterator[tuple[Kind, Codes, list[str]]]:
    """Yield for each kind the group of each row, as a position in names, -1 for none."""
    cameras, models = photos.codes("camera")
    yield Kind.CAMERA, cameras, [display_path(Path(model)) if model else UNKNOWN for model in models]
    yield Kind.MONTH, *_months(photos)
    named = np.where(judged.rules == NO_RULE, -1, judged.rules).astype(np.int64)
    yield Kind.RULE, named, list(judged.names)
    shows = (judged.outcomes == TAGGED) | (judged.outcomes == REJECTED)
    for bit, defect in enumerate(Defect):
        has = shows & (judged.defects >> bit & 1 == 1)
        yield Kind.DEFECT, np.where(has, 0, -1), [str(defect)]


def _months(photos: PhotoColumns) -> tuple[Codes, list[str]]:
    known = photos.known("taken_at")
    months = photos.micros.astype("datetime64[us]").astype("datetime64[M]")
    found, places = np.unique(months, return_inverse=True)
    return np.where(known, places, len(found)), [*map(str, found), UNKNOWN]
