"""The page that is the product.

    watch/scan -> settle -> read -> assess (batched) -> group -> decide -> apply (journaled) -> report
      dirs         files    photo   scores              stack    plan      tags, moves         outcome

Watching and settling come before this page (`intake`), reporting after it (`service`, `cli`).
"""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from culld.errors import InternalError, PhotoDeferredError, PhotoError, WorkerLostError
from culld.files.open_beneath import stamp_of
from culld.records import Assessment, FileSnapshot, Outcome, ReadFailure
from culld.unexpected import UnexpectedErrors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from culld.ports import Intent, Journal, Reader
    from culld.records import FileStat, Photo, Plan, Stack

_B = TypeVar("_B")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Reading:
    """A batch that the workers are at, and its results, in order, for whoever waits for them."""

    settled: Sequence[FileSnapshot]
    results: Iterable[Photo | Assessment | ReadFailure]


_RETRY_AFTER = timedelta(minutes=1)
_HELD_FOR = timedelta(seconds=15)
_TRIES: Final = 3
"""After so many internal errors over it, or workers lost, a photo is left alone until it changes."""


def one_ahead(begin: Callable[[_B], _T], batches: Iterable[_B]) -> Iterator[_T]:
    """What `begin` gives for each batch; the next one is begun before the caller gets to finish this one."""
    begun: deque[_T] = deque()
    for batch in batches:
        begun.append(begin(batch))
        if len(begun) > 1:
            yield begun.popleft()
    yield from begun


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Takes photos from disk to recorded outcomes; every stage is an argument.

    A stage that fails in a way that it does not declare is asked again without the photo that it fails over, which
    becomes a fault; `unexpected` logs the failure.
    """

    reader: Reader
    journal: Journal
    group: Callable[[Sequence[Assessment]], list[Stack]]
    decide: Callable[[Sequence[Stack]], Sequence[Plan | PhotoError]]
    apply: Callable[[Plan], Outcome]
    unexpected: UnexpectedErrors = field(default_factory=UnexpectedErrors)

    def process(self, settled: Sequence[FileSnapshot]) -> list[Outcome]:
        """Take a batch of complete photos from disk to recorded outcomes."""
        return self.finish(self.begin(settled))

    def begin(self, settled: Sequence[FileSnapshot]) -> Reading:
        """Let the workers read and assess a batch; they are at it while an earlier one is finished."""
        results = self.unexpected.attempt("handing photos to the workers", partial(self._read, settled))
        return Reading(settled, self._read_apart(settled) if isinstance(results, PhotoError) else results)

    def finish(self, reading: Reading) -> list[Outcome]:
        """Take a batch that is being read to recorded outcomes.

        One photo's failure stays its own: it is recorded as a fault and looked at again. A SystemFaultError goes up.
        """
        assessed = self._fresh(list(self._without_faults(self._results(reading))))
        plans = list(self._decide(self._group(assessed)))
        with ExitStack() as stack:  # one commit for the batch, before any file changes
            return [self._carry_out(plan, intent) for plan, intent in self._intend(plans, stack)]

    def _read(self, settled: Sequence[FileSnapshot]) -> Iterable[Photo | Assessment | ReadFailure]:
        return self.reader.read(settled, self.journal.judged(settled))

    def _read_apart(self, settled: Sequence[FileSnapshot]) -> list[Photo | Assessment | ReadFailure]:
        return self.unexpected.each_apart("reading photos", self._read, settled, self._unread)

    def _results(self, reading: Reading) -> Iterator[Photo | Assessment | ReadFailure]:
        """What the reader gives; if it fails on the way, the remaining photos are read again."""
        results, done = iter(reading.results), 0
        while (result := self.unexpected.attempt("reading photos", partial(next, results, None))) is not None:
            if isinstance(result, PhotoError):
                yield from self._read_apart(reading.settled[done:])
                return
            done += 1
            yield result

    def _fresh(self, results: Sequence[Photo | Assessment]) -> list[Assessment]:
        """What the journal does not know; what it has forgotten since it was asked has to be looked at again."""
        photos = [result.photo if isinstance(result, Assessment) else result for result in results]
        found = self.unexpected.each_apart("asking the journal about photos", self.journal.unseen, photos, self._fault)
        unseen = {photo.place for photo in found}
        fresh = [result for result, photo in zip(results, photos, strict=True) if photo.place in unseen]
        for result in fresh:
            if not isinstance(result, Assessment):
                self._fault(result, PhotoDeferredError("what was known of it is gone; culld looks again"))
        return [result for result in fresh if isinstance(result, Assessment)]

    def _group(self, assessed: Sequence[Assessment]) -> list[Stack]:
        """The stacks of a batch, as a folder that is gone or a photo that cannot be grouped leaves it."""
        stacks = self.unexpected.attempt("grouping photos", partial(self.group, assessed))
        if not isinstance(stacks, PhotoError):
            return stacks
        fitting = self.unexpected.fitting("grouping photos", self.group, assessed, self._ungrouped)
        stacks = self.unexpected.attempt("grouping photos", partial(self.group, fitting))
        if not isinstance(stacks, PhotoError):
            return stacks
        for assessment in fitting:
            self._ungrouped(assessment, stacks)
        return []

    def _decide(self, stacks: Sequence[Stack]) -> Iterator[Plan]:
        for stack, plan in self.unexpected.each_apart("deciding about photos", self._decided, stacks, self._undecided):
            if isinstance(plan, PhotoError):
                self._fault(stack.primary.photo, plan)
            else:
                yield plan

    def _decided(self, stacks: Sequence[Stack]) -> Iterable[tuple[Stack, Plan | PhotoError]]:
        return zip(stacks, self.decide(stacks), strict=True)

    def _intend(self, plans: Sequence[Plan], stack: ExitStack) -> list[tuple[Plan, Intent]]:
        """Each plan with its open journal entry; nothing was changed for a plan that cannot be recorded."""

        def entered(some: Sequence[Plan]) -> list[tuple[Plan, Intent]]:
            intent = stack.enter_context(self.journal.intend(some))
            return [(plan, intent) for plan in some]

        return self.unexpected.each_apart("recording plans", entered, plans, self._unplanned)

    def _carry_out(self, plan: Plan, intent: Intent) -> Outcome:
        """Apply a plan; after an unexpected failure only a replay, which looks at the disk, can tell how far it is."""
        outcome = self.unexpected.attempt("changing files", partial(self.apply, plan))
        if isinstance(outcome, PhotoError):
            place, stamp = plan.photo.place, _stamp_now(plan.photo)
            outcome = Outcome(plan, place, stamp, plan.photo.digest, fault=str(outcome), unfinished=True)
        return intent.close(outcome)

    def _unread(self, sighting: FileSnapshot, error: PhotoError) -> None:
        held = isinstance(error, PhotoDeferredError)
        tries = _TRIES if isinstance(error, InternalError | WorkerLostError) else None
        wait = _HELD_FOR if held else _RETRY_AFTER
        self._record(ReadFailure(sighting, str(error), wait, steady=held, tries=tries))

    def _ungrouped(self, assessment: Assessment, error: PhotoError) -> None:
        self._fault(assessment.photo, error)

    def _undecided(self, stack: Stack, error: PhotoError) -> None:
        self._fault(stack.primary.photo, error)

    def _unplanned(self, plan: Plan, error: PhotoError) -> None:
        self._fault(plan.photo, error)

    def _fault(self, photo: Photo, error: PhotoError) -> None:
        self._unread(FileSnapshot(photo.place, photo.stamp), error)

    def _record(self, fault: ReadFailure) -> None:
        with self.unexpected.tolerated("recording a fault"):
            self.journal.fault(fault)

    def _without_faults(self, results: Iterable[Photo | Assessment | ReadFailure]) -> Iterator[Photo | Assessment]:
        for result in results:
            if isinstance(result, ReadFailure):
                self._record(result)
            else:
                yield result


def _stamp_now(photo: Photo) -> FileStat | None:
    try:
        return stamp_of(photo.place)
    except PhotoError:  # its folder is gone
        return None
