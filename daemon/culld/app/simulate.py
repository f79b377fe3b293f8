"""The replay of another policy on the decisions in the journal, and the changes that it makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from culld.app.build import Builder, PolicySet, is_clip
from culld.app.late_series import ReturnJournal
from culld.app.rejudge import ReplayJournal
from culld.app.returned import is_there
from culld.clock import SystemClock
from culld.errors import PhotoError
from culld.files.open_beneath import stamp_of
from culld.quarantine.restore import Restorer, restore
from culld.quarantine.selection import Selection
from culld.records import FileSnapshot, Photo, ReadFailure
from culld.stages.decide.decide import decide
from culld.stages.decide.decider import user_metadata_request
from culld.stages.decide.replay import ReplayAction, replay
from culld.stages.group.grouping import Grouper
from culld.stages.read import PoolReader, read_ahead
from culld.unexpected import UnexpectedErrors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from culld.config import Config
    from culld.inference.pool import Pool
    from culld.journal.store import SqliteJournal
    from culld.quarantine.restore import Restored
    from culld.records import (
        Assessment,
        FolderPolicies,
        Outcome,
        Policy,
        RootedPath,
    )
    from culld.stages.decide.replay import ReplayResult


@dataclass(frozen=True, slots=True)
class Simulation:
    """Replays the policies of a configuration on the decisions in the journal."""

    config: Config
    policies: FolderPolicies
    journal: SqliteJournal

    def changes(self, since: datetime | None) -> list[ReplayResult]:
        """Return the result for each photo judged since a moment (None: all) that is still at its last path."""
        cases = [case for case in self.journal.latest_decisions(since) if is_there(case.now)]
        stacks = Grouper().in_series([case.stack for case in cases])
        seen = [replace(case, stack=stack) for case, stack in zip(cases, stacks, strict=True)]
        return list(replay(seen, self.policies.by_root.get, SystemClock().now()))

    def with_user_metadata(self, found: Iterable[ReplayResult], pool: Pool) -> list[ReplayResult]:
        """Return the results, decided again with the current user metadata where the photo would be moved."""
        reader, policies = PoolReader(pool), self.policies.by_root
        return [
            self._with_user_metadata(change, reader, policies) if change.action is ReplayAction.MOVE else change
            for change in found
        ]

    def _with_user_metadata(
        self, change: ReplayResult, reader: PoolReader, policies: Mapping[Path, Policy]
    ) -> ReplayResult:
        case, primary = change.case, change.case.stack.primary
        (beside,) = Grouper().group([replace(primary, photo=replace(primary.photo, place=case.now))])
        (found,) = reader.user_metadata([user_metadata_request(beside)])
        if isinstance(found, PhotoError):  # the photo was removed; `apply` reports that
            return change
        decision = decide(
            replace(case.stack, user_metadata=found),
            policies[primary.photo.place.root],
            now=change.decision.made_at,
            restored=case.content_restored,
        )
        return replace(change, decision=decision)

    def apply(self, found: Sequence[ReplayResult], pool: Pool) -> tuple[list[Restored], list[Outcome]]:
        """Restore and move photos by the results; every photo is read and decided again, with its stored scores.

        Photos that come back do not count as restored by the user.
        """
        back = tuple(change.case.now.path for change in found if change.action is ReplayAction.RESTORE)
        roots = [watch.path for watch in self.config.watch]
        returning = ReturnJournal(self.journal)
        restorer = Restorer(roots, returning)  # the tags stay; the next decision changes them
        restored = list(restore(self.config.quarantine, Selection(back), restorer)) if back else []
        places = [result.now for result in restored if result.now is not None and not result.fault]
        places += [change.case.now for change in found if change.action is ReplayAction.MOVE]
        seen = [FileSnapshot(place, stamp) for place in places if (stamp := stamp_of(place)) is not None]
        digests = _digests(found)
        policies = PolicySet(self.policies)
        workers = PoolReader(pool, known=lambda _: digests, is_clip=is_clip, segment=policies.name_regions)
        reader = StoredScoresReader(workers, self.journal.assessment_of_content)
        builder = Builder(self.config, self.journal, pool, policies)
        pipeline = builder.pipeline(reader, lambda _: None, braked=False)  # the user has seen the counts
        pipeline = replace(pipeline, journal=ReplayJournal(self.journal))
        size = self.config.batch.size
        batches = (seen[start : start + size] for start in range(0, len(seen), size))
        ahead = read_ahead(reader, batches, list, UnexpectedErrors())
        return restored, [outcome for batch in ahead for outcome in pipeline.process(batch)]


@dataclass(frozen=True, slots=True)
class StoredScoresReader:
    """A `Reader` that takes the scores of contents that were judged before from `lookup`.

    `lookup` returns the assessment of the bytes with a digest, None if there is none. `reader` must call the contents
    known that `lookup` has.
    """

    reader: PoolReader
    lookup: Callable[[str], Assessment | None]

    def begin(self, batch: Sequence[FileSnapshot]) -> None:
        """Submit a batch to the workers."""
        self.reader.begin(batch)

    def read(self, batch: Sequence[FileSnapshot]) -> Iterator[Photo | Assessment | ReadFailure]:
        """Yield the result of each file, in order, with new or stored scores."""
        for result in self.reader.read(batch):
            if isinstance(result, Photo) and (before := self.lookup(result.digest)) is not None:
                yield replace(before, photo=result)
            else:
                yield result


def _digests(found: Sequence[ReplayResult]) -> dict[RootedPath, frozenset[str]]:
    """Return the digests of each photo, before and after tagging, by its current path and by its original one."""
    return {
        place: change.case.digests
        for change in found
        for place in (change.case.now, change.case.stack.primary.photo.place)
    }
