"""The pipeline: the stages of culld from a batch of complete files to recorded outcomes.

    watch -> settle -> read (score) -> group -> decide -> plan -> apply (journaled) -> report
    dirs     files     photos          stacks   verdicts  edits,   tags, moves         outcomes
                                                          moves

Watching and settling (`stages.watch`) come before it: they give batches of complete files.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from culld.errors import InternalError, PhotoDeferredError, PhotoError, WorkerLostError
from culld.files.open_beneath import stamp_of
from culld.records import Assessment, FileSnapshot, Outcome, Photo, ReadFailure, Stack
from culld.retry import DEFERRED_FOR, MAX_TRIES, RETRY_AFTER
from culld.unexpected import UnexpectedErrors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from culld.ports import Intent, Journal, Reader
    from culld.records import Decision, FileStat, Plan

    Item = FileSnapshot | Photo | Assessment | Stack | Decision | Plan

_T = TypeVar("_T", bound="Item")
_R = TypeVar("_R")


def no_late_series(_stacks: Sequence[Stack]) -> list[FileSnapshot]:
    """Return no files: no photo comes back from quarantine."""
    return []


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages of the pipeline, and `record_failure`, which records why a photo failed.

    `bring_back` moves photos back from quarantine that belong to a series of some stacks, and returns their files.
    `decide` and `plan` return one result for each item, in order: a PhotoError for an item that fails.
    """

    reader: Reader
    group: Callable[[Sequence[Assessment]], list[Stack]]
    decide: Callable[[Sequence[Stack]], Sequence[Decision | PhotoError]]
    plan: Callable[[Sequence[Decision]], Sequence[Plan | PhotoError]]
    apply: Callable[[Plan], Outcome]
    report: Callable[[Outcome], object]
    record_failure: Callable[[ReadFailure], object]
    bring_back: Callable[[Sequence[Stack]], list[FileSnapshot]] = no_late_series


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Takes photos from disk to recorded outcomes.

    A failure is a value, a `ReadFailure`, in the results of each stage. A stage that raises an undeclared exception is
    called again without the photo that causes it; `unexpected` logs the exception.
    """

    stages: Stages
    journal: Journal
    unexpected: UnexpectedErrors = field(default_factory=UnexpectedErrors)

    def process(self, batch: Sequence[FileSnapshot]) -> list[Outcome]:
        """Take a batch of complete files to recorded outcomes; a failure concerns one photo only.

        Photos that come back from quarantine, because the batch completes their series, are judged again at once. They
        come back before the batch is recorded: if culld is killed meanwhile, the next start reads the batch again, and
        the rest of them comes back then.
        Raises SystemFaultError, and StoppedError if a stop is requested before a file is changed.
        """
        photos = self.read(batch)
        stacks = self.group(photos)
        decisions = self.decide(stacks)
        plans = self.plan(decisions)
        back = self.come_back(stacks)
        with self.intend(plans) as intents:  # one commit for the batch, before any of its files changes
            outcomes = [intent.close(self.apply(plan)) for plan, intent in intents]
        return [*self.report(outcomes), *(self.process(back) if back else [])]

    def read(self, batch: Sequence[FileSnapshot]) -> list[Assessment | ReadFailure]:
        """Return the scored photos of a batch; known content is omitted, and the journal stores its new stamp."""
        found: list[Photo | Assessment]
        unseen: list[Photo]
        failures, found = _split(self._each("reading photos", self.stages.reader.read, batch))
        photos = [_photo_of(result) for result in found]
        not_looked_up, unseen = _split(self._each("looking up photos in the journal", self.journal.unseen, photos))
        places = {photo.place for photo in unseen}
        fresh = [result for result in found if _photo_of(result).place in places]
        scored = (_not_scored(result) if isinstance(result, Photo) else result for result in fresh)
        return [*failures, *not_looked_up, *scored]

    def group(self, photos: Sequence[Assessment | ReadFailure]) -> list[Stack | ReadFailure]:
        """Return the stacks of a batch, and a failure for each photo that cannot be grouped or whose folder is gone."""
        failures, assessed = _split(photos)
        stacks = self._grouped(assessed)
        if isinstance(stacks, PhotoError):
            assessed = self.unexpected.fitting(
                "grouping photos",
                self.stages.group,
                assessed,
                lambda photo, error: failures.append(_failure(photo, error)),
            )
            stacks = self._grouped(assessed)
        if isinstance(stacks, PhotoError):
            return [*failures, *(_failure(photo, stacks) for photo in assessed)]
        return [*failures, *stacks]

    def decide(self, stacks: Sequence[Stack | ReadFailure]) -> list[Decision | ReadFailure]:
        """Return the decision about each stack."""
        return self._each("deciding about photos", partial(_in_order, self.stages.decide), stacks)

    def plan(self, decisions: Sequence[Decision | ReadFailure]) -> list[Plan | ReadFailure]:
        """Return the plan for each decision: tag edits and moves. No file is changed."""
        return self._each("planning changes", partial(_in_order, self.stages.plan), decisions)

    @contextmanager
    def intend(self, plans: Sequence[Plan | ReadFailure]) -> Iterator[list[tuple[Plan, Intent]]]:
        """Record the failures, then the plans of a batch; yield each plan with its open journal entry.

        A plan that cannot be recorded becomes a failure; no file is changed for it.
        """
        failures, recordable = _split(plans)
        self._record(failures)
        with ExitStack() as entries:

            def entered(some: Sequence[Plan]) -> list[tuple[Plan, Intent]]:
                intent = entries.enter_context(self.journal.intend(some))
                return [(plan, intent) for plan in some]

            failures, intents = _split(self.unexpected.each_apart("recording plans", entered, recordable, _failure))
            self._record(failures)
            yield intents

    def apply(self, plan: Plan) -> Outcome:
        """Apply a plan; after an unexpected exception the plan stays open, and a replay compares it with the disk."""
        outcome = self.unexpected.attempt("changing files", partial(self.stages.apply, plan))
        if isinstance(outcome, PhotoError):
            place, stamp = plan.photo.place, _stamp_now(plan.photo)
            return Outcome(plan, place, stamp, plan.photo.digest, fault=str(outcome), unfinished=True)
        return outcome

    def come_back(self, stacks: Sequence[Stack | ReadFailure]) -> list[FileSnapshot]:
        """Return the files of the photos that came back from quarantine, because their series is known now."""
        in_series = [stack for stack in stacks if isinstance(stack, Stack) and stack.series is not None]
        if not in_series:
            return []
        found = self.unexpected.attempt("bringing photos of a series back", partial(self.stages.bring_back, in_series))
        return [] if isinstance(found, PhotoError) else found

    def report(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Report each outcome; return all outcomes."""
        for outcome in outcomes:
            with self.unexpected.tolerated("reporting a photo"):
                self.stages.report(outcome)
        return outcomes

    def _each(
        self, doing: str, stage: Callable[[Sequence[_T]], Iterable[_R]], items: Sequence[_T | ReadFailure]
    ) -> list[_R | ReadFailure]:
        """Return the results of a stage for the items that have not failed yet, and the failures of all others."""
        failures, rest = _split(items)
        return [*failures, *self.unexpected.each_apart(doing, stage, rest, _failure)]

    def _grouped(self, assessed: Sequence[Assessment]) -> list[Stack] | PhotoError:
        return self.unexpected.attempt("grouping photos", partial(self.stages.group, assessed))

    def _record(self, failures: Iterable[ReadFailure]) -> None:
        for failure in failures:
            with self.unexpected.tolerated("recording a failure"):
                self.stages.record_failure(failure)


def _split(items: Iterable[_R | ReadFailure]) -> tuple[list[ReadFailure], list[_R]]:
    """Return the failures, and the other items."""
    failures: list[ReadFailure] = []
    others: list[_R] = []
    for item in items:
        if isinstance(item, ReadFailure):
            failures.append(item)
        else:
            others.append(item)
    return failures, others


def _in_order(
    stage: Callable[[Sequence[_T]], Sequence[_R | PhotoError]], items: Sequence[_T]
) -> list[_R | ReadFailure]:
    """Return the results of a stage; an error becomes the failure of its item."""
    return [
        _failure(item, result) if isinstance(result, PhotoError) else result
        for item, result in zip(items, stage(items), strict=True)
    ]


def _failure(item: Item, error: PhotoError) -> ReadFailure:
    """Return the failure of the photo of an item: the reason, and when the photo is read again."""
    photo = item if isinstance(item, FileSnapshot) else _photo_of(item)
    deferred = isinstance(error, PhotoDeferredError)
    tries = MAX_TRIES if isinstance(error, InternalError | WorkerLostError) else None
    wait = DEFERRED_FOR if deferred else RETRY_AFTER
    return ReadFailure(FileSnapshot(photo.place, photo.stamp), str(error), wait, steady=deferred, tries=tries)


def _photo_of(item: Photo | Assessment | Stack | Decision | Plan) -> Photo:
    """Return the photo of the result of any stage."""
    if isinstance(item, Photo):
        return item
    if isinstance(item, Stack):
        return item.primary.photo
    return item.photo


def _not_scored(photo: Photo) -> ReadFailure:
    """Return the failure of a photo that was not scored: its decision was removed from the journal after the lookup."""
    return _failure(photo, PhotoDeferredError("its decision is no longer in the journal; culld reads the photo again"))


def _stamp_now(photo: Photo) -> FileStat | None:
    try:
        return stamp_of(photo.place)
    except PhotoError:  # its folder is gone
        return None
