"""New decisions for the photos of wishes: by a person, or by the policy in force."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from culld.app.late_series import ReturnJournal
from culld.app.returned import is_there
from culld.app.wishes.restoring import back
from culld.app.wishes.stored_scores import Candidate, decide_again
from culld.errors import PhotoBlockedError, PhotoChangedError, PhotoError
from culld.files.mount_guard import MountGuard
from culld.quarantine.restore import Restorer
from culld.quarantine.selection import shot_of
from culld.records import display_path
from culld.stages.decide.decide import decide
from culld.stages.group.grouping import Grouper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from culld.app.build import Builder
    from culld.records import RecordedDecision, RootedPath

    Results = dict[int, str | PhotoError]
    """A note, or the error that says why nothing was done, by the number of the decision."""


_BY_POLICY: Final = "policy"
"""The value of `RecordedDecision.released` of a photo that came back for another policy."""


@dataclass(frozen=True, slots=True)
class Judging:
    """Decides again about the photos of decisions, which are given by their numbers."""

    builder: Builder

    def reject(self, cases: Mapping[int, RecordedDecision]) -> Results:
        """Move photos to quarantine by the decision of a person, each with the other photos of its shot."""
        done: Results = {}
        found: dict[int, list[Candidate] | PhotoError] = {}
        for number, case in cases.items():
            earlier = self.builder.journal.person_reject_after(number, case)
            if earlier is None:
                found[number] = self._here(case)
            elif earlier.restored or (earlier.away and not self._siblings(earlier, earlier.place)):
                done[number] = ""  # it was moved before culld was stopped, or with another photo of its shot
            else:
                found[number] = self._reunited(earlier)
        return done | self._decided(found, by_person=True)

    def judge(self, cases: Mapping[int, RecordedDecision]) -> Results:
        """Decide about photos by the policy in force; a photo in quarantine that it does not reject comes back."""
        done: Results = {}
        found: dict[int, list[Candidate] | PhotoError] = {}
        for number, case in cases.items():
            if left := self._left_behind(case):
                found[number] = self._all_back(left)
            elif self.builder.journal.latest_about(case) != number:
                done[number] = ""  # it was decided about before culld was stopped, or with another photo of its shot
            elif case.away and self._stays_rejected(case):
                done[number] = "the policy in force rejects it as well"
            else:
                found[number] = self._returned(case) if case.away else self._with_shot(case)
        return done | self._decided(found, by_person=False)

    def judge_unprotected(self, cases: Mapping[int, RecordedDecision]) -> Results:
        """Lift the protection of photos that a person restored or untagged, with their shots, then `judge` them."""
        journal = self.builder.journal
        here = {number: self._here(case) for number, case in cases.items() if self._is_latest(case)}
        lost: Results = {number: found for number, found in here.items() if isinstance(found, PhotoError)}
        rest = {number: case for number, case in cases.items() if number not in lost}
        for case in rest.values():
            for each in (case, *(other for other in self._shot(case) if other.restored)):
                if self._is_latest(each):
                    journal.lift_protection(each)
        return lost | self.judge({number: journal.decision(number) or case for number, case in rest.items()})

    @property
    def _roots(self) -> list[Path]:
        return [watch.path for watch in self.builder.config.watch]

    def _here(self, case: RecordedDecision) -> list[Candidate] | PhotoError:
        """Return the photo of a decision in a watched folder, with its siblings, or the error that it is not there."""
        for place in (case.now, case.place):
            if place.root in self._roots and is_there(place):
                return [Candidate(place, case.digests), *self._siblings(case, place)]
        root = case.place.root
        if root not in self._roots:
            return PhotoBlockedError(f"the configuration no longer watches {display_path(root)}")
        if away := MountGuard(self.builder.journal).unavailable_reason(root):
            return PhotoBlockedError(f"{display_path(root)} {away}")
        return PhotoChangedError(f"{display_path(case.place.path)} is no longer there")

    def _siblings(self, case: RecordedDecision, here: RootedPath) -> list[Candidate]:
        """Return the siblings of the photo at `here` that were judged with it and are still beside it.

        After a crash the journal may have no file state for them, so that they are read again. A photo that came back
        under another name has other siblings, which the grouping finds.
        """
        found: list[Candidate] = []
        for place in case.siblings if here == case.place else ():
            history = self.builder.journal.history_of(place) if is_there(place) else []
            together = [each.digests for each in history if each.place == place and here in each.siblings]
            found += [Candidate(place, frozenset().union(*together))] if together else []
        return found

    def _reunited(self, case: RecordedDecision) -> list[Candidate] | PhotoError:
        """Return a shot of which a crash left one photo behind, when the others were moved: they are brought back."""
        return self._returned(case) if case.away else self._with_shot(case)

    def _shot(self, case: RecordedDecision) -> list[RecordedDecision]:
        """Return the decisions that moved the other photos of a shot to quarantine."""
        shot = shot_of(case.plan)
        found = self.builder.journal.of_shot(shot) if shot else {}
        return [each for each in found.values() if each.plan != case.plan]

    def _with_shot(self, case: RecordedDecision) -> list[Candidate] | PhotoError:
        """Return the photo of a decision, with those of its shot that came back from quarantine and were not judged."""
        here = self._here(case)
        if isinstance(here, PhotoError):
            return here
        others = [each for each in self._shot(case) if each.released and self._is_latest(each)]
        places = [Candidate(each.now, each.digests) for each in others if is_there(each.now)]
        return [*here, *(each for each in places if each.place.root in self._roots)]

    def _is_latest(self, case: RecordedDecision) -> bool:
        journal = self.builder.journal
        return journal.latest_about(case) == journal.number_of(case.plan)

    def _stays_rejected(self, case: RecordedDecision) -> bool:
        """Return whether the policy in force rejects a photo in quarantine, with its shot and its series."""
        if case.place.root not in self._roots:
            return False  # `_returned` gives the reason
        siblings = tuple(other.stack.primary for other in self._shot(case))
        grouper = Grouper(shots_around=self.builder.journal.shots_between)
        (stack,) = grouper.in_series([replace(case.stack, siblings=siblings)])
        policy, now = self.builder.policies.of(case.place.root), self.builder.clock.now()
        return decide(stack, policy, now=now, restored=case.content_restored).would_reject

    def _left_behind(self, case: RecordedDecision) -> list[RecordedDecision]:
        """Return the others of a shot that are in quarantine, although culld was bringing all of it back."""
        return [other for other in self._shot(case) if other.away] if case.released == _BY_POLICY else []

    def _returned(self, case: RecordedDecision) -> list[Candidate] | PhotoError:
        """Bring a photo back with the others of its shot; return them, itself first, or the error."""
        found = self._all_back([case, *(other for other in self._shot(case) if other.away)])
        return found if isinstance(found, PhotoError) else [*found, *self._siblings(case, found[0].place)]

    def _all_back(self, cases: Sequence[RecordedDecision]) -> list[Candidate] | PhotoError:
        """Bring photos back, and return them; the error if the first one cannot come back."""
        journal = self.builder.journal
        restorer = Restorer(self._roots, ReturnJournal(journal, _BY_POLICY))
        back_now: list[Candidate] = []
        for each in cases:
            found = back(journal.moved_to(each), restorer)
            if not isinstance(found, str):
                back_now.append(Candidate(found[0], each.digests))
            elif each is cases[0]:
                return PhotoBlockedError(found)
        return back_now

    def _decided(self, found: Mapping[int, list[Candidate] | PhotoError], *, by_person: bool) -> Results:
        """Decide about photos, each the first of its list, and carry the plans out."""
        errors: Results = {number: each for number, each in found.items() if isinstance(each, PhotoError)}
        photos = {number: each for number, each in found.items() if not isinstance(each, PhotoError)}
        result = decide_again(self.builder, [each for some in photos.values() for each in some], by_person=by_person)
        return errors | {number: result.error_at(each[0].place) or "" for number, each in photos.items()}
