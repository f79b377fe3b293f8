"""`culld policy simulate`: another policy on the decisions of the past, and carrying out what it would change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from culld.darkroom import DarkroomDoor
from culld.disk.beneath import exists, stamp_of
from culld.errors import PhotoError
from culld.policy.decide import decide
from culld.policy.simulation import Fate, simulate
from culld.quarantine.restore import Selection, restore
from culld.records import Fault, Photo, Sighting
from culld.service.clock import SystemClock
from culld.service.grouping import Grouping
from culld.service.judge import care_request
from culld.service.wiring import Policies, Wiring

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from culld.config import Config
    from culld.journal.store import Batch, SqliteJournal
    from culld.model.workers import Pool
    from culld.policy.simulation import Change
    from culld.quarantine.restore import Restored
    from culld.records import Assessment, Outcome, Place, Plan, Rules, Stamp


@dataclass(frozen=True, slots=True)
class Simulation:
    """The policy of a configuration, thresholds looked up, beside the decisions that the journal knows."""

    config: Config
    journal: SqliteJournal

    def changes(self, since: datetime | None) -> list[Change]:
        """What that policy says of each photo judged since a moment that is where it was left then."""
        rules = self.config.rules_by_folder()
        cases = [case for case in self.journal.cases(since) if _is_there(case.now)]
        stacks = Grouping().in_series([case.stack for case in cases])
        seen = [replace(case, stack=stack) for case, stack in zip(cases, stacks, strict=True)]
        return list(simulate(seen, rules.get, SystemClock().now()))

    def looked_over(self, found: Iterable[Change], pool: Pool) -> list[Change]:
        """The same after a look at what people did for the photos that would move: a rating of yesterday counts."""
        door, rules = DarkroomDoor(pool), self.config.rules_by_folder()
        return [self._looked_over(change, door, rules) if change.fate is Fate.MOVE else change for change in found]

    def _looked_over(self, change: Change, door: DarkroomDoor, rules: Mapping[Path, Rules]) -> Change:
        case, lead = change.case, change.case.stack.lead
        (beside,) = Grouping().group([replace(lead, photo=replace(lead.photo, place=case.now))])
        try:
            care = door.care(care_request(beside))
        except PhotoError:  # it went away this moment; carrying it out will say so
            return change
        plan = decide(
            replace(case.stack, care=care),
            rules[lead.photo.place.root],
            now=change.plan.made_at,
            plan_id=change.plan.id,
            restored=case.restored,
        )
        return replace(change, plan=plan)

    def carry_out(self, found: Sequence[Change], pool: Pool) -> tuple[list[Restored], list[Outcome]]:
        """Bring back and move what the policy says, through the journal; every photo is looked at once more.

        Nothing is scored again, and photos that come back are no photos that a person restored.
        """
        back = tuple(change.case.now.path for change in found if change.fate is Fate.COME_BACK)
        roots = [watch.path for watch in self.config.watch]
        returning = Returning(self.journal)
        restored = (
            restore(self.config.quarantine, Selection(back), roots=roots, journal=returning, dry_run=False)
            if back
            else []
        )
        places = [result.now for result in restored if result.now is not None and not result.fault]
        places += [change.case.now for change in found if change.fate is Fate.MOVE]
        seen = [Sighting(place, stamp) for place in places if (stamp := stamp_of(place)) is not None]
        wiring = Wiring(self.config, self.journal, pool, Policies(self.config))
        pipeline = wiring.pipeline(braked=False)  # a person has seen how many they are
        pipeline = replace(
            pipeline, reader=Remembering(DarkroomDoor(pool), self.journal), journal=Rejudging(self.journal)
        )
        size = self.config.batch.size
        batches = [seen[start : start + size] for start in range(0, len(seen), size)]
        return restored, [outcome for batch in batches for outcome in pipeline.process(batch)]


@dataclass(frozen=True, slots=True)
class Remembering:
    """A `Reader` that asks the journal what was said of the same bytes before it has them scored."""

    door: DarkroomDoor
    journal: SqliteJournal

    def inspect(self, settled: Sequence[Sighting]) -> list[Photo | Fault]:
        """Identity, digest and camera facts of each file, in order."""
        return self.door.inspect(settled)

    def score(self, photos: Sequence[Photo]) -> list[Assessment | Fault]:
        """What the network said of each photo, in order."""
        known = [self.journal.recall_content(photo.digest) for photo in photos]
        new = iter(self.door.score([photo for photo, before in zip(photos, known, strict=True) if before is None]))
        return [
            next(new) if before is None else replace(before, photo=photo)
            for photo, before in zip(photos, known, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Rejudging:
    """The journal for photos that are to be decided about again, although they are known."""

    journal: SqliteJournal

    def knows(self, _place: Place, _stamp: Stamp) -> bool:
        """Nothing is passed over."""
        return False

    def unseen(self, photos: Sequence[Photo]) -> list[Photo]:
        """All of them."""
        return list(photos)

    def is_restored(self, digest: str) -> bool:
        """Whether a person brought this content back from quarantine."""
        return self.journal.is_restored(digest)

    def fault(self, fault: Fault) -> None:
        """Record a file that could not be read, and when to look again."""
        self.journal.fault(fault)

    def intend(self, plans: Sequence[Plan]) -> AbstractContextManager[Batch]:
        """Commit the plans of a batch; while the context is open each plan is closed with its outcome."""
        return self.journal.intend(plans)


@dataclass(frozen=True, slots=True)
class Returning:
    """The journal for photos that come back because the policy has changed: no person stands behind it."""

    journal: SqliteJournal

    def note_restored(self, plan: str, _digests: Collection[str], place: Place, stamp: Stamp | None) -> None:
        """The photo of a plan is back at `place`, once it has a stamp."""
        if stamp is not None:
            self.journal.note_returned(plan, place)


def _is_there(place: Place) -> bool:
    try:
        return exists(place)
    except PhotoError:  # its folder is gone, or nobody may look
        return False
