"""The page that is the product.

    watch/scan -> settle -> read -> assess (batched) -> group -> decide -> apply (journaled) -> report
      dirs         files    photo   scores              stack    plan      tags, moves         outcome

Watching and settling come before this page (`intake`), reporting after it (`service`, `cli`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from culld.errors import PhotoError, PhotoHeldError
from culld.records import Fault, Sighting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from culld.ports import Journal, Reader
    from culld.records import Assessment, Outcome, Photo, Plan, Stack

_T = TypeVar("_T")

_RETRY_AFTER = timedelta(minutes=1)
_HELD_FOR = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Takes photos from disk to recorded outcomes; every stage is an argument."""

    reader: Reader
    journal: Journal
    group: Callable[[Sequence[Assessment]], list[Stack]]
    decide: Callable[[Stack], Plan]
    apply: Callable[[Plan], Outcome]

    def process(self, settled: Sequence[Sighting]) -> list[Outcome]:
        """Take a batch of complete photos from disk to recorded outcomes.

        One photo's failure stays its own: it is recorded as a fault and looked at again. A SystemFaultError goes up.
        """
        photos = self._read(settled)
        fresh = self.journal.unseen(photos)
        assessed = self._assess(fresh)
        plans = list(self._decide(self._group(assessed)))
        with self.journal.intend(plans) as intent:  # one commit for the batch, before any file changes
            return [intent.close(self.apply(plan)) for plan in plans]

    def _read(self, settled: Sequence[Sighting]) -> list[Photo]:
        return list(self._without_faults(self.reader.inspect(settled)))

    def _assess(self, photos: Sequence[Photo]) -> list[Assessment]:
        return list(self._without_faults(self.reader.score(photos)))

    def _group(self, assessed: Sequence[Assessment]) -> Iterator[Stack]:
        try:
            yield from self.group(assessed)
        except PhotoError:  # a folder is gone: its photos fail one by one, the others go on
            for assessment in assessed:
                try:
                    yield from self.group([assessment])
                except PhotoError as error:
                    self._fault(assessment.photo, error)

    def _decide(self, stacks: Iterable[Stack]) -> Iterator[Plan]:
        for stack in stacks:
            try:
                yield self.decide(stack)
            except PhotoError as error:
                self._fault(stack.lead.photo, error)

    def _fault(self, photo: Photo, error: PhotoError) -> None:
        held = isinstance(error, PhotoHeldError)
        wait = _HELD_FOR if held else _RETRY_AFTER
        self.journal.fault(Fault(Sighting(photo.place, photo.stamp), str(error), wait, steady=held))

    def _without_faults(self, results: Iterable[_T | Fault]) -> Iterator[_T]:
        for result in results:
            if isinstance(result, Fault):
                self.journal.fault(result)
            else:
                yield result
