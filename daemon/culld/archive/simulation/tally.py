"""Counts and examples of a simulation from the outcomes of one table after the other."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.archive.simulation.outcomes import EXAMPLES, OUTCOMES, Example, Kind, Outcome
from culld.archive.simulation.screen import FAILED, NO_RULE, REJECTED, TAGGED
from culld.records import Defect, display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from culld.archive.simulation.judge import Judged
    from culld.archive.simulation.outcomes import Simulation
    from culld.archive.simulation.photo_columns import PhotoColumns
    from culld.records import Decision

    Codes = npt.NDArray[np.int64]

UNKNOWN: Final = "unknown"
"""The name of the group of photos whose camera or month is not known."""
_LOUD: Final = frozenset({Outcome.TAGGED, Outcome.QUARANTINED})
"""The outcomes of which each group has examples; a rule has them of all."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Adds the outcomes of tables to a simulation; `decision` returns the decision about a row, for its reason."""

    simulation: Simulation

    def add(self, photos: PhotoColumns, judged: Judged, decision: Callable[[int], Decision]) -> None:
        """Add the rows of one table."""
        totals = np.bincount(judged.outcomes, minlength=len(OUTCOMES))
        for outcome, number in zip(OUTCOMES, totals.tolist(), strict=True):
            self.simulation.count(outcome, number)
        self.simulation.protected += int((judged.is_bad & (judged.outcomes < REJECTED)).sum())
        for kind, codes, names in _groups(photos, judged):
            self._add_kind(kind, codes, names, judged.outcomes)
            self._add_examples(kind, codes, names, photos, judged, decision)

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

    def _add_examples(
        self,
        kind: Kind,
        codes: Codes,
        names: list[str],
        photos: PhotoColumns,
        judged: Judged,
        decision: Callable[[int], Decision],
    ) -> None:
        for at, name in enumerate(names):
            group = self.simulation.groups[kind].get(name)
            if group is None:
                continue
            for place, outcome in enumerate(OUTCOMES[:FAILED]):
                lacking = group.lacks(outcome)
                if lacking <= 0 or (kind is not Kind.RULE and outcome not in _LOUD):
                    continue
                rows = np.flatnonzero((codes == at) & (judged.outcomes == place))[:EXAMPLES]
                for row in rows[:lacking].tolist():
                    known = judged.decisions.get(row) or decision(row)
                    path = display_path(Path(os.fsdecode(photos.table["key"][row].as_py())))
                    group.examples.append(Example(path, outcome, known.reason))


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
