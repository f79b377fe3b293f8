"""The pipeline for photos with stored scores, whose content must be the one that was judged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from culld.app.build import is_clip
from culld.app.rejudge import ReplayJournal
from culld.app.simulate import StoredScoresReader
from culld.app.startup import replay_unfinished
from culld.errors import PhotoBlockedError, PhotoChangedError, PhotoError
from culld.files.open_beneath import stamp_of
from culld.pipeline import no_late_series
from culld.records import Assessment, FileSnapshot, PlanState, ReadFailure
from culld.retry import RETRY_AFTER
from culld.stages.decide.by_person import PersonDecider
from culld.stages.read import PoolReader
from culld.stages.report import report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from culld.app.build import Builder
    from culld.journal.store import SqliteJournal
    from culld.pipeline import Pipeline
    from culld.records import Photo, Plan, RootedPath


@dataclass(frozen=True, slots=True)
class Candidate:
    """A photo to decide about: its path, and the SHA-256 that it may have, before and after it was tagged."""

    place: RootedPath
    digests: frozenset[str]


@dataclass(frozen=True, slots=True)
class ExpectedContent:
    """A `Reader` for photos with stored scores; a photo with another content than the expected one is a failure."""

    reader: StoredScoresReader
    expected: Mapping[RootedPath, frozenset[str]]

    def begin(self, batch: Sequence[FileSnapshot]) -> None:
        """Submit a batch to the workers."""
        self.reader.begin(batch)

    def read(self, batch: Sequence[FileSnapshot]) -> Iterator[Photo | Assessment | ReadFailure]:
        """Yield the result of each file, in order."""
        for snapshot, result in zip(batch, self.reader.read(batch), strict=True):
            photo = result.photo if isinstance(result, Assessment) else result
            is_other = not isinstance(photo, ReadFailure) and photo.digest not in self.expected.get(snapshot.place, ())
            yield ReadFailure(snapshot, _CHANGED, RETRY_AFTER) if is_other else result


_CHANGED = "another program changed the file since it was judged"


@dataclass(frozen=True, slots=True)
class Redecided:
    """The results of new decisions, by the path at which the photo was: the plans that were done, and the errors."""

    plans: dict[RootedPath, Plan] = field(default_factory=dict)
    errors: dict[RootedPath, PhotoError] = field(default_factory=dict)

    def error_at(self, place: RootedPath) -> PhotoError | None:
        """Return the error of a photo; None if its plan was carried out."""
        if place in self.plans:
            return None
        return self.errors.get(place, PhotoBlockedError("no decision about it was made"))

    def add_failure(self, failure: ReadFailure) -> None:
        """Add the failure of a photo."""
        error = PhotoChangedError if failure.reason == _CHANGED else PhotoBlockedError
        self.errors[failure.snapshot.place] = error(failure.reason)


def decide_again(builder: Builder, candidates: Iterable[Candidate], *, by_person: bool) -> Redecided:
    """Decide about photos, and carry the plans out: by a person all are moved, otherwise the policy decides.

    The brake is not checked, because a person has seen each photo. Nothing is stored about a photo that fails.
    """
    found = Redecided()
    expected = {each.place: each.digests for each in candidates}
    batch = [FileSnapshot(place, stamp) for place in expected if (stamp := stamp_of(place)) is not None]
    found.errors.update({place: PhotoChangedError("the file is no longer there") for place in expected})
    if not batch:
        return found
    for outcome in _pipeline(builder, expected, found, by_person=by_person).process(batch):
        place = outcome.plan.photo.place
        if outcome.fault is None or (outcome.unfinished and _was_finished(builder.journal, outcome.plan)):
            found.plans[place] = outcome.plan
        else:
            found.errors[place] = PhotoBlockedError(outcome.fault)
    return found


def _was_finished(journal: SqliteJournal, plan: Plan) -> bool:
    """Replay a plan of which only some changes were made; return whether it is carried out now."""
    replay_unfinished(journal, set())
    number = journal.number_of(plan.id)
    decision = None if number is None else journal.decision(number)
    return decision is not None and decision.state is PlanState.DONE


def _pipeline(
    builder: Builder, expected: Mapping[RootedPath, frozenset[str]], found: Redecided, *, by_person: bool
) -> Pipeline:
    segment = builder.policies.name_regions
    workers = PoolReader(builder.pool, builder.heartbeat, known=lambda _: expected, is_clip=is_clip, segment=segment)
    reader = ExpectedContent(StoredScoresReader(workers, builder.journal.assessment_of_content), expected)
    pipeline = builder.pipeline(reader, report, braked=False, record_failure=found.add_failure)
    pipeline = replace(pipeline, journal=ReplayJournal(builder.journal))
    if not by_person:
        return pipeline
    decider = PersonDecider(builder.policies.of, workers.user_metadata, builder.clock)
    stages = replace(pipeline.stages, decide=decider.decide, bring_back=no_late_series)
    return replace(pipeline, stages=stages)
