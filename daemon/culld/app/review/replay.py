"""Deciding again, exactly, about a few photos: with their series and the other files of their shot."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.clock import SystemClock
from culld.stages.decide.replay import replay
from culld.stages.group.grouping import Grouper

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from culld.app.review.index import Index
    from culld.journal.review import ReviewReader
    from culld.records import FolderPolicies, Policy, RecordedDecision

_REMEMBERED: Final = 4_000
_LARGEST_SERIES: Final = 200


@dataclass(slots=True)
class ExactReplay:
    """Keeps the facts of the photos that it decided about last: a slider asks for the same ones again and again."""

    _known: OrderedDict[int, RecordedDecision] = field(default_factory=OrderedDict)
    _change: int = 0

    def rejected(
        self,
        journal: ReviewReader,
        index: Index,
        ids: NDArray[np.uint32],
        change: Callable[[Policy], Policy],
        policies: FolderPolicies,
    ) -> NDArray[np.bool_]:
        """Return for each number whether the photo would be rejected by the changed policy of its folder."""
        if not len(ids):
            return np.zeros(0, np.bool_)
        if self._change != index.change:
            self._known.clear()
            self._change = index.change
        cases = self._cases(journal, [*ids.tolist(), *index.in_bursts(index.rows["burst"][index.positions(ids)])])
        asked = [cases[int(number)] for number in ids]
        stacks = Grouper().in_series([case.stack for case in cases.values()])
        series = {stack.primary.photo.place: stack.series for stack in stacks}
        whole = [replace(case, stack=replace(case.stack, series=series.get(case.place))) for case in asked]
        by_root = {root: change(policy) for root, policy in policies.by_root.items()}
        default = change(policies.default)
        found = replay(whole, lambda root: by_root.get(root, default), SystemClock().now())
        return np.fromiter((each.decision.would_reject for each in found), np.bool_, len(ids))

    def _cases(self, journal: ReviewReader, ids: Sequence[int]) -> dict[int, RecordedDecision]:
        missing = [number for number in dict.fromkeys(ids) if number not in self._known]
        if missing:
            self._known |= with_siblings(journal, journal.numbered(missing))
        found = {number: self._known[number] for number in dict.fromkeys(ids) if number in self._known}
        for number in found:
            self._known.move_to_end(number)
        while len(self._known) > max(_REMEMBERED, len(found)):
            self._known.popitem(last=False)
        return found


def with_siblings(journal: ReviewReader, found: dict[int, RecordedDecision]) -> dict[int, RecordedDecision]:
    """Return the decisions with the other photos of their shots, as they were judged last."""
    completed = {}
    for number, case in found.items():
        latest = [_latest(journal.history_of(place)) for place in case.siblings]
        siblings = tuple(each.stack.primary for each in latest if each is not None)
        completed[number] = replace(case, stack=replace(case.stack, siblings=siblings)) if siblings else case
    return completed


def _latest(history: Sequence[RecordedDecision]) -> RecordedDecision | None:
    return next((each for each in reversed(history) if each.ended), None)
