"""Decisions of a person: the photos of a wish `reject` are moved, whatever the policy, its mode and the brake say.

Only what would separate or lose files holds such a move back: a file that belongs to the photo and cannot move with it,
and another photo of the shot that cannot be read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from culld.errors import PhotoBlockedError, PhotoError
from culld.records import BY_PERSON, Decision, Scores, Verdict
from culld.stages.decide.decider import metadata_read_with, user_metadata_request
from culld.stages.decide.protection import inseparable_reason
from culld.stages.decide.thresholds import tagged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from culld.ports import Clock
    from culld.records import Policy, Stack, UserMetadata
    from culld.stages.read.messages import UserMetadataRequest

REASON: Final = "rejected by a person"


def decide_by_person(stack: Stack, policy: Policy, now: datetime) -> Decision | PhotoError:
    """Return the decision to move a stack to quarantine, or the error that says what holds it back."""
    if not isinstance(stack.primary.result, Scores):
        return PhotoBlockedError(f"it could not be read: {stack.primary.result.reason}")
    if why := inseparable_reason(stack):
        return PhotoBlockedError(f"it is not moved, because {why}")
    policy = policy.about(stack.primary.photo.format)
    return Decision(
        stack,
        Verdict.QUARANTINE,
        REASON,
        policy,
        now,
        tagged(stack.primary, policy),
        BY_PERSON,
        would_reject=True,
        brief=REASON,
    )


@dataclass(frozen=True, slots=True)
class PersonDecider:
    """The stage `decide` for the photos of a wish `reject`.

    `policy_of` returns the policy of a watched folder, which names the defects to tag. `user_metadata` reads the user
    metadata of shots: the plan checks that it is unchanged, and keeps the flags that the user has set.
    """

    policy_of: Callable[[Path], Policy]
    user_metadata: Callable[[Sequence[UserMetadataRequest]], Sequence[UserMetadata | PhotoError]]
    clock: Clock

    def decide(self, stacks: Sequence[Stack]) -> list[Decision | PhotoError]:
        """Return the decision about each stack, in order, or the PhotoError with the reason why there is none."""
        wanted = [stack for stack in stacks if metadata_read_with(stack) is None]
        answers = self.user_metadata([user_metadata_request(stack) for stack in wanted]) if wanted else []
        found = {stack.primary.photo.place: answer for stack, answer in zip(wanted, answers, strict=True)}
        return [
            self._decided(stack, found.get(stack.primary.photo.place, metadata_read_with(stack))) for stack in stacks
        ]

    def _decided(self, stack: Stack, found: UserMetadata | PhotoError | None) -> Decision | PhotoError:
        if isinstance(found, PhotoError):
            return found
        known = stack if found is None else replace(stack, user_metadata=found)
        return decide_by_person(known, self.policy_of(stack.primary.photo.place.root), self.clock.now())
