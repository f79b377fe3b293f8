"""Photos that come back from quarantine by themselves: other shots of their series came after they were moved."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.app.returned import is_there
from culld.files.open_beneath import stamp_of
from culld.files.remove_own import RECORD_SUFFIX
from culld.quarantine.restore import Restorer
from culld.records import BY_PERSON, FileSnapshot, Stack, display_path
from culld.stages.decide.protection import series_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from culld.journal.store import SqliteJournal
    from culld.records import Assessment, FileStat, Policy, RecordedDecision, RootedPath, Series, TaggedFiles

log = logging.getLogger(__name__)

SERIES: Final = "series"
"""The value of `RecordedDecision.released` of a photo that came back for its series."""


@dataclass(frozen=True, slots=True)
class ReturnJournal:
    """The journal for photos that are restored for another reason than that the user asks for it.

    `why` is "policy" for another policy, "series" if the other shots of a series arrived.
    """

    journal: SqliteJournal
    why: str = "policy"

    def note_restored(self, plan: str, _digests: Collection[str], place: RootedPath, stamp: FileStat | None) -> None:
        """Note that the photo of a plan is back at `place`; without a stamp it is not back yet."""
        if stamp is not None:
            self.journal.note_returned(plan, place, self.why)

    def note_deleted(self, plan: str) -> None:
        """Note that the user deleted the photo of a plan from quarantine."""
        self.journal.note_deleted(plan)

    def reject(self, plan: str) -> RecordedDecision | None:
        """Return the decision of a plan that moved a photo to quarantine; None if the journal lacks it."""
        return self.journal.reject(plan)

    def tagged_by(self, plan: str) -> list[TaggedFiles]:
        """Return the files that a plan, and earlier plans for the same path, wrote tags to; the newest plan first."""
        return self.journal.tagged_by(plan)


@dataclass(frozen=True, slots=True)
class LateSeries:
    """Brings moved shots back to `roots` whose series the policy protects, now that their other shots are there.

    `policy_of` returns the policy of a watched folder.
    """

    journal: SqliteJournal
    roots: Collection[Path]
    policy_of: Callable[[Path], Policy]

    def bring_back(self, stacks: Iterable[Stack]) -> list[FileSnapshot]:
        """Restore the moved shots of the series of some stacks, with their siblings; return them as files to judge.

        Their tags stay, and they do not count as restored by the user. A photo comes back for its series only once. A
        photo that cannot be restored stays in quarantine, and the reason is logged.
        """
        known = list(stacks)
        here = {member.photo.place for stack in known for member in stack.members}
        found: dict[str, tuple[RecordedDecision, str]] = {}
        for series in {id(stack.series): stack.series for stack in known}.values():
            for shot in () if series is None else series.members:
                if shot.photo.place not in here:
                    found |= {reject.plan: (reject, why) for reject, why in self._moved(shot, series)}
        return [back for reject, why in found.values() for back in self._restored(reject, why)]

    def _moved(self, shot: Assessment, series: Series | None) -> Iterator[tuple[RecordedDecision, str]]:
        """Yield the decisions that moved a shot and its siblings, each with the reason why the policy protects it."""
        policy = self.policy_of(shot.photo.place.root)
        why = None if series is None else series_reason(Stack(shot), series, policy)
        if why is None or self._came_back(shot):
            return
        for reject in self.journal.quarantined(shot.photo.digest):
            if not reject.released and reject.place == shot.photo.place and reject.rule != BY_PERSON:
                yield reject, why
                siblings = (each for place in reject.siblings for each in self.journal.history_of(place)[-1:])
                yield from ((each, why) for each in siblings if each.away and each.rule != BY_PERSON)

    def _came_back(self, shot: Assessment) -> bool:
        history = self.journal.history_of(shot.photo.place)
        return any(each.released == SERIES and shot.photo.digest in each.digests for each in history)

    def _restored(self, reject: RecordedDecision, why: str) -> Sequence[FileSnapshot]:
        """Restore a photo, and return it as a file to judge; log why, or why it cannot be restored."""
        if not is_there(reject.now):
            return ()
        restorer = Restorer(self.roots, ReturnJournal(self.journal, SERIES))
        result = restorer.restore(reject.now.beside(reject.now.relative.name + RECORD_SUFFIX), deleted=False)
        name = display_path(reject.place.path)
        if result.fault is not None or result.now is None:
            log.warning("%s does not come back from quarantine, although %s: %s", name, why, result.fault)
            return ()
        log.info("%s comes back from quarantine: %s", name, why)
        stamp = stamp_of(result.now)
        return () if stamp is None else (FileSnapshot(result.now, stamp),)
