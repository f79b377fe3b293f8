"""The wishes of people in the loop of the daemon: taken from their folder, carried out in slices, and recorded."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from culld.app.copies.asking import Asking
from culld.app.wishes.judging import Judging
from culld.app.wishes.restoring import Restoring
from culld.app.wishes.spool import WishFolder
from culld.app.wishes.transitions import answer_of, refusal
from culld.errors import PhotoChangedError, PhotoError
from culld.inference.worker_process import WorkerLimits
from culld.quarantine.untag_worker import UntagPool
from culld.records import ItemOutcome, ItemState, WishKind
from culld.stages.decide.brake import resume
from culld.stages.watch.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from culld.app.build import Builder
    from culld.app.wishes.judging import Results
    from culld.journal.wish_reader import OpenItem, OpenWish
    from culld.records import Answer, RecordedDecision, ReviewState
    from culld.stages.watch.signals import Wakeup
    from culld.unexpected import UnexpectedErrors

log = logging.getLogger(__name__)

MOST_ITEMS_OF_SLICE: Final = 16
MOST_ANSWERS_OF_SLICE: Final = 256
"""Answers change no file, and are stored in one transaction."""
LONGEST_SLICE_S: Final = 0.1
_UNKNOWN: Final = "Its decision is not in the journal, or cannot be read."
_AT_ONCE: Final = 4
"""The number of photos that are decided about together."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A photo of a wish that waits, and its decision."""

    item: OpenItem
    decision: RecordedDecision
    state: ReviewState

    @property
    def number(self) -> int:
        """The number of the decision."""
        return self.item.item.decision

    def outcome(self, state: ItemState, note: str = "", now: int | None = None) -> ItemOutcome:
        """Return the outcome of the photo."""
        return ItemOutcome(self.item.item, state, note, now)


class Wishes:
    """Takes wishes and carries them out.

    `more`: another slice can be carried out at once.
    """

    def __init__(self, builder: Builder, unexpected: UnexpectedErrors) -> None:
        """Start nothing; `builder` builds the pipeline for new decisions, `unexpected` logs undeclared exceptions."""
        self.more = False
        self._builder = builder
        self._journal = builder.journal
        self._folder = WishFolder(builder.config.state, builder.journal, builder.clock)
        self._folder.create()
        limits = builder.config.limits
        pool = UntagPool(limits.file_size, WorkerLimits(limits.memory, limits.time.total_seconds()))
        roots = [watch.path for watch in builder.config.watch]
        self._worker = ExitStack()
        self._restoring = Restoring(roots, builder.journal, self._worker.enter_context(pool))
        self._judging = Judging(builder)
        self._asking = Asking(builder)
        self._unexpected = unexpected

    def close(self) -> None:
        """End the worker process, if one was started."""
        self._worker.close()

    def step(self, wakeups: Collection[Wakeup], *, is_quarantine_there: bool) -> None:
        """Take the wishes that a wake-up announces, and carry out one slice; without the quarantine they wait."""
        with self._unexpected.tolerated("carrying out wishes"):
            self._step(wakeups, is_quarantine_there=is_quarantine_there)

    def _step(self, wakeups: Collection[Wakeup], *, is_quarantine_there: bool) -> None:
        more_files = False
        if Signal.WISH in wakeups or Signal.RESCAN in wakeups or self.more:
            more_files = self._folder.take()
        self.more = more_files
        if is_quarantine_there and (wish := self._journal.open_wish()) is not None:
            self._carry_out(wish)
            self.more = more_files or self._journal.open_wish() is not None

    def carry_out_all(self) -> None:
        """Take all wishes, and carry them out."""
        with self._unexpected.tolerated("carrying out wishes"):
            self._step((Signal.WISH,), is_quarantine_there=True)
            while self.more:
                self._step((), is_quarantine_there=True)

    def _carry_out(self, wish: OpenWish) -> None:
        """Carry out one slice: at most 16 photos (or 256 answers), and no further one after 100 ms."""
        until = self._builder.clock.monotonic() + LONGEST_SLICE_S
        if wish.kind is WishKind.RESUME:
            resume(self._journal, self._builder.clock)
        most = MOST_ANSWERS_OF_SLICE if wish.kind is WishKind.CONFIRM else MOST_ITEMS_OF_SLICE
        items = self._journal.open_items(wish.id, most)
        cases = self._sorted(wish, items)
        for group in self._groups(wish, cases):
            self._builder.heartbeat()
            self._change_files(wish, group)
            if self._builder.clock.monotonic() >= until:
                break

    def _sorted(self, wish: OpenWish, items: Sequence[OpenItem]) -> list[_Case]:
        """Record the outcomes of the photos that need no change of a file, together; return the other photos."""
        outcomes: list[ItemOutcome] = []
        answers: dict[int, Answer | None] = {}
        rest: list[_Case] = []
        cases = self._cases(items)
        for item in items:
            case = cases.get(item.item.decision)
            if case is None:
                outcomes.append(ItemOutcome(item.item, ItemState.CHANGED, _UNKNOWN))
            elif item.begun:
                rest.append(case)
            elif why := self._refusal(wish, case):
                outcomes.append(case.outcome(ItemState.CHANGED, why, self._journal.latest_about(case.decision)))
            elif (answer := answer_of(wish.kind, item.item.seen))[0]:
                answers[case.number] = answer[1]
                outcomes.append(case.outcome(ItemState.DONE, now=case.number))
            else:
                rest.append(case)
        if outcomes or not rest:
            self._end(wish, outcomes, answers)
        return rest

    def _cases(self, items: Sequence[OpenItem]) -> dict[int, _Case]:
        """Return the photos with their decisions, by number, without those whose decision cannot be read."""
        doing = "reading the decisions of a wish"
        found = self._unexpected.each_apart(doing, self._readable, items, lambda _item, _error: None)
        return {case.number: case for case in found if case is not None}

    def _readable(self, items: Sequence[OpenItem]) -> list[_Case]:
        found = self._journal.reviewed(item.item.decision for item in items)
        here = ((item, found.get(item.item.decision)) for item in items)
        return [_Case(item, *known) for item, known in here if known is not None]

    def _refusal(self, wish: OpenWish, case: _Case) -> str:
        """Return why nothing is done for a photo, as a sentence; empty if the wish applies to it."""
        if wish.kind is WishKind.APPLY_POLICY and wish.policy != self._builder.policies.digest:
            return "The policy was changed after the wish: another one is in force."
        return refusal(wish.kind, case.item, case.decision, case.state)

    def _groups(self, wish: OpenWish, cases: Sequence[_Case]) -> Iterator[list[_Case]]:
        """Yield the photos in groups that are begun together; the photos of one shot are in one group."""
        size = 1 if wish.kind is WishKind.RESTORE else _AT_ONCE
        group: dict[int, _Case] = {}
        seen: set[int] = set()
        for case in cases:
            if case.number in seen:
                continue
            group |= {each.number: each for each in (case, *self._of_its_shot(wish, case)) if each.number not in seen}
            seen |= group.keys()
            if len(group) >= size:
                yield list(group.values())
                group = {}
        if group:
            yield list(group.values())

    def _of_its_shot(self, wish: OpenWish, case: _Case) -> Iterator[_Case]:
        """Yield the other photos of a shot that wait in the same wish, and to which it applies."""
        for place in case.decision.siblings:
            for other in self._cases(self._journal.open_items_at(wish.id, place)).values():
                if other.item.begun or not self._refusal(wish, other):
                    yield other

    def _change_files(self, wish: OpenWish, group: Sequence[_Case]) -> None:
        """Carry out a group whose files change: store that it is begun, change the files, store the outcomes."""
        self._journal.begin_items(wish.id, [case.number for case in group])
        doing = partial(self._results, wish.kind, {case.number: case.decision for case in group})
        results = self._unexpected.attempt("carrying out a wish", doing)
        outcomes = [
            self._outcome(case, results if isinstance(results, PhotoError) else results[case.number]) for case in group
        ]
        self._end(wish, outcomes, {})

    def _results(self, kind: WishKind, cases: Mapping[int, RecordedDecision]) -> Results:
        if kind is WishKind.RESTORE:
            attempt = self._unexpected.attempt
            return {number: attempt("restoring a photo", partial(self._restoring.restore, number)) for number in cases}
        if kind is WishKind.ENHANCE:
            attempt = self._unexpected.attempt
            return {
                number: attempt("asking for a repaired copy", partial(self._asking.ask, number, case))
                for number, case in cases.items()
            }
        if kind is WishKind.REJECT:
            return self._judging.reject(cases)
        if kind is WishKind.WITHDRAW:
            return self._judging.judge_unprotected(cases)
        return self._judging.judge(cases)

    def _end(self, wish: OpenWish, outcomes: Sequence[ItemOutcome], answers: Mapping[int, Answer | None]) -> None:
        """Store outcomes and answers; log the end of a wish."""
        if self._journal.end_items(wish.id, outcomes, answers):
            progress = self._journal.wish_progress(wish.id)
            counts = Counter(each.state for each in progress.outcomes) if progress is not None else Counter()
            parts = [f"{count} {state}" for state, count in counts.items()]
            log.info("a wish of a person was carried out: %s %s", wish.kind, ", ".join(parts))

    def _outcome(self, case: _Case, result: str | PhotoError) -> ItemOutcome:
        now = self._now(case.number)
        if isinstance(result, PhotoChangedError):
            return case.outcome(ItemState.CHANGED, str(result), now)
        if isinstance(result, PhotoError):
            return case.outcome(ItemState.FAILED, str(result), now)
        return case.outcome(ItemState.DONE, result, now)

    def _now(self, number: int) -> int | None:
        decision = self._journal.decision(number)
        return None if decision is None else self._journal.latest_about(decision)
