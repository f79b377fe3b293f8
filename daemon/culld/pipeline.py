"""The page that is the product.

    watch/scan -> settle -> read -> assess (batched) -> group -> decide -> apply (journaled) -> report
      dirs         files    photo   scores              stack    plan      tags, moves         outcome

Watching and settling come before this page (`intake`), reporting after it (`service`, `cli`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from culld.errors import PhotoError, PhotoHeldError
from culld.records import Assessment, Fault, Sighting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from culld.ports import Journal, Reader
    from culld.records import Outcome, Photo, Plan, Stack

_B = TypeVar("_B")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Reading:
    """A batch that the workers are at, and its results, in order, for whoever waits for them."""

    settled: Sequence[Sighting]
    results: Iterable[Photo | Assessment | Fault]


_RETRY_AFTER = timedelta(minutes=1)
_HELD_FOR = timedelta(seconds=15)


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
    """Takes photos from disk to recorded outcomes; every stage is an argument."""

    reader: Reader
    journal: Journal
    group: Callable[[Sequence[Assessment]], list[Stack]]
    decide: Callable[[Sequence[Stack]], Sequence[Plan | PhotoError]]
    apply: Callable[[Plan], Outcome]

    def process(self, settled: Sequence[Sighting]) -> list[Outcome]:
        """Take a batch of complete photos from disk to recorded outcomes."""
        return self.finish(self.begin(settled))

    def begin(self, settled: Sequence[Sighting]) -> Reading:
        """Let the workers read and assess a batch; they are at it while an earlier one is finished."""
        return Reading(settled, self.reader.read(settled, self.journal.judged(settled)))

    def finish(self, reading: Reading) -> list[Outcome]:
        """Take a batch that is being read to recorded outcomes.

        One photo's failure stays its own: it is recorded as a fault and looked at again. A SystemFaultError goes up.
        """
        assessed = self._fresh(list(self._without_faults(reading.results)))
        plans = list(self._decide(list(self._group(assessed))))
        with self.journal.intend(plans) as intent:  # one commit for the batch, before any file changes
            return [intent.close(self.apply(plan)) for plan in plans]

    def _fresh(self, results: Sequence[Photo | Assessment]) -> list[Assessment]:
        """What the journal does not know; what it has forgotten since it was asked has to be looked at again."""
        photos = [result.photo if isinstance(result, Assessment) else result for result in results]
        unseen = {photo.place for photo in self.journal.unseen(photos)}
        fresh = [result for result, photo in zip(results, photos, strict=True) if photo.place in unseen]
        for result in fresh:
            if not isinstance(result, Assessment):
                self._fault(result, PhotoHeldError("what was known of it is gone; culld looks again"))
        return [result for result in fresh if isinstance(result, Assessment)]

    def _group(self, assessed: Sequence[Assessment]) -> Iterator[Stack]:
        try:
            yield from self.group(assessed)
        except PhotoError:  # a folder is gone: its photos fail one by one, the others go on
            for assessment in assessed:
                try:
                    yield from self.group([assessment])
                except PhotoError as error:
                    self._fault(assessment.photo, error)

    def _decide(self, stacks: Sequence[Stack]) -> Iterator[Plan]:
        for stack, plan in zip(stacks, self.decide(stacks), strict=True):
            if isinstance(plan, PhotoError):
                self._fault(stack.lead.photo, plan)
            else:
                yield plan

    def _fault(self, photo: Photo, error: PhotoError) -> None:
        held = isinstance(error, PhotoHeldError)
        wait = _HELD_FOR if held else _RETRY_AFTER
        self.journal.fault(Fault(Sighting(photo.place, photo.stamp), str(error), wait, steady=held))

    def _without_faults(self, results: Iterable[Photo | Assessment | Fault]) -> Iterator[Photo | Assessment]:
        for result in results:
            if isinstance(result, Fault):
                self.journal.fault(result)
            else:
                yield result
