"""The outcome of each row of a table of whole folders under a policy: by columns where they settle it, else alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.archive.simulation.neighbours import timeline
from culld.archive.simulation.screen import KEPT, NO_RULE, REJECTED, TAGGED, UNREADABLE, Screened, screen
from culld.records import Defect, Verdict
from culld.stages.decide.decide import decide
from culld.stages.group.neighbour_light import light_against_neighbours
from culld.stages.group.series import series_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from culld.archive.simulation.neighbours import Part, Timeline
    from culld.archive.simulation.photo_columns import PhotoColumns
    from culld.archive.simulation.row_stack import RowStacks
    from culld.archive.simulation.rule_columns import Mask
    from culld.records import Decision, Policy, RootedPath, Series, Stack

SERIES_VARIABLES: Final = frozenset({"series", "series_ev"})
FACT_VARIABLES: Final = frozenset({"hour", "faces", "face_blur", "face_light", "subject_sharp"})
"""The variables whose values a stack takes from the facts of a row."""
_VERDICTS: Final = {Verdict.KEEP: KEPT, Verdict.TAG: TAGGED, Verdict.UNREADABLE: UNREADABLE}
_BITS: Final = {defect: 1 << bit for bit, defect in enumerate(Defect)}


@dataclass(slots=True)
class Judged:
    """The outcome of each row, its defects and its rule as in `Screened`; `rules` are positions in `names`.

    `is_bad` are the rows that a rule or threshold rejects. `decisions` are those that were made alone.
    """

    outcomes: npt.NDArray[np.int8]
    defects: npt.NDArray[np.int8]
    rules: npt.NDArray[np.int16]
    names: tuple[str, ...]
    is_bad: Mask
    decisions: dict[int, Decision] = field(default_factory=dict)


@dataclass(slots=True)
class Judge:
    """Judges the rows of one table. `policies` has the policy of each root, in the order of `PhotoColumns.root_paths`.

    All of them have the thresholds and rules of the first; mode and clips may differ.
    """

    photos: PhotoColumns
    stacks: RowStacks
    policies: Sequence[Policy]
    groups: npt.NDArray[np.int64]

    def judged(self) -> Judged:
        """Return the outcome of each row."""
        found = screen(self.photos, self.policies[0])
        alone = self._alone(found)
        result = Judged(found.outcomes, found.defects, found.rules, found.names, found.is_bad)
        if self.policies[0].names(SERIES_VARIABLES):
            self._decide_in_runs(result, alone)
            return result
        self._decide(result, alone.tolist())
        self._spare_series(result, result.outcomes == REJECTED)
        return result

    def decisions(self, rows: Sequence[int]) -> list[Decision]:
        """Return the decisions about rows that columns settled, for their reasons."""
        self.stacks.load_stacks(rows)
        return [self._decided(self.stacks.stack(row), row) for row in rows]

    def _alone(self, found: Screened) -> npt.NDArray[np.int64]:
        """Return the rows that columns do not settle."""
        shots = self.stacks.shots.with_any(found.stops)
        alone = found.unsure.copy()
        alone[shots] = True
        return np.flatnonzero(alone & self.photos.has_scores)

    def _decide(self, result: Judged, rows: Sequence[int]) -> None:
        self.stacks.load_stacks(rows)
        for row in rows:
            self._note(result, row, self._decided(self.stacks.stack(row), row))

    def _decided(self, stack: Stack, row: int) -> Decision:
        policy = self.policies[self.photos.roots[row]]
        return decide(stack, policy, now=self.photos.now, restored=False)

    def _note(self, result: Judged, row: int, decision: Decision) -> None:
        result.decisions[row] = decision
        outcome = REJECTED if decision.would_reject else _VERDICTS[decision.verdict]
        result.outcomes[row] = outcome
        result.defects[row] = sum(_BITS[defect] for defect in decision.defects)
        result.rules[row] = result.names.index(decision.rule) if decision.rule in result.names else NO_RULE

    def _spare_series(self, result: Judged, which: Mask) -> None:
        """Decide again about rejects that a series may protect."""
        protect, rejected = self.policies[0].protect, np.flatnonzero(which)
        if not len(rejected) or not (protect.series or protect.bursts):
            return
        leads = np.array([self._lead(row) for row in rejected.tolist()], np.int64)
        wanted = np.zeros(self.photos.count, bool)
        wanted[leads] = True
        parts = [part for part in self._timeline().parts_of(wanted) if part.may_have_series]
        where = {row: at for at, part in enumerate(parts) for row in part.rows.tolist()}
        waiting: dict[int, list[int]] = {}
        for row, lead in zip(rejected.tolist(), leads.tolist(), strict=True):
            if lead in where:
                waiting.setdefault(where[lead], []).append(row)
        self.stacks.load(row for at in waiting for row in parts[at].rows.tolist())
        self.stacks.load_stacks(row for rows in waiting.values() for row in rows)
        for at, rows in waiting.items():
            series = self._series(parts[at])
            for row in rows:
                self._decide_with(result, row, series, {})

    def _decide_in_runs(self, result: Judged, alone: npt.NDArray[np.int64]) -> None:
        """Decide about rows of which the series or the light of the neighbours is asked for."""
        wanted = np.zeros(self.photos.count, bool)
        wanted[[self._lead(row) for row in alone.tolist()]] = True
        series: dict[RootedPath, Series] = {}
        light: dict[RootedPath, float] = {}
        for part in self._timeline().runs_of(wanted):
            self.stacks.load(part.rows.tolist())
            series |= self._series(part)
            light |= light_against_neighbours(self.stacks.assessment(row) for row in part.rows.tolist())
        self.stacks.load_stacks(alone.tolist())
        for row in alone.tolist():
            self._decide_with(result, row, series, light)
        settled = result.outcomes == REJECTED
        settled[alone] = False
        self._spare_series(result, settled)

    def _decide_with(
        self, result: Judged, row: int, series: dict[RootedPath, Series], light: dict[RootedPath, float]
    ) -> None:
        stack = self.stacks.stack(row)
        own = next((series[each.photo.place] for each in stack.members if each.photo.place in series), None)
        known = replace(stack, series=own, series_ev=light.get(stack.primary.photo.place))
        self._note(result, row, self._decided(known, row))

    def _series(self, part: Part) -> dict[RootedPath, Series]:
        return series_of(map(self.stacks.assessment, part.rows.tolist()), may_turn=part.may_turn)

    def _timeline(self) -> Timeline:
        leads = self.stacks.shots.leads(self.photos.count)
        return timeline(self.photos, self.groups, leads)

    def _lead(self, row: int) -> int:
        return self.stacks.shots.of.get(row, (row,))[0]
