"""The stage `decide`: collects the inputs of the pure decision about each stack, and holds moves back.

A move is held back while other shots of the series may arrive, and by the brake.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from culld.errors import PhotoDeferredError, PhotoError
from culld.records import Verdict
from culld.stages.decide.bursts import members_of, needs_sharpness, with_subjects
from culld.stages.decide.decide import decide, is_rejected
from culld.stages.decide.thresholds import rejected
from culld.stages.group.stacks import shot_id
from culld.stages.read.messages import SharpnessRequest, UserMetadataRequest
from culld.tags.user_metadata import together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from culld.ports import Clock
    from culld.records import Decision, Photo, Policy, RootedPath, Series, Stack, Subject, UserMetadata
    from culld.stages.group.grouping import SeriesHold


def no_brake(_policy: Policy, _place: RootedPath, _moving: bool) -> str:  # noqa: FBT001 (stands in for a method)
    """Return an empty text: no brake stops moves."""
    return ""


@dataclass(frozen=True, slots=True)
class Decider:
    """Decides about the stacks of a batch.

    `policy_of` returns the current policy of a watched folder; `is_restored` returns whether the user restored a photo.
    `user_metadata` reads the user metadata of shots for which it was not read with the photos. `brake` counts a
    decision, and returns why the photo must not be moved, empty if it may be. `compare` measures the sharpness of the
    frames of bursts; None: a burst is judged by its scores.
    """

    policy_of: Callable[[Path], Policy]
    is_restored: Callable[[Photo], bool]
    user_metadata: Callable[[Sequence[UserMetadataRequest]], Sequence[UserMetadata | PhotoError]]
    clock: Clock
    hold: SeriesHold
    brake: Callable[[Policy, RootedPath, bool], str] = no_brake
    compare: Callable[[Sequence[SharpnessRequest]], Sequence[tuple[Subject, ...] | PhotoError]] | None = None

    def decide(self, stacks: Sequence[Stack]) -> list[Decision | PhotoError]:
        """Return the decision about each stack, in order, or the PhotoError with the reason why there is none.

        It is a PhotoDeferredError if other shots of the series may not have arrived yet.
        """
        known = self._with_user_metadata(self._with_sharpness(stacks))
        return self._with_shots_together(
            [stack if isinstance(stack, PhotoError) else self._decided(stack) for stack in known]
        )

    def _with_user_metadata(self, stacks: Sequence[Stack]) -> list[Stack | PhotoError]:
        """Return the stacks with their user metadata.

        Photos with recorded scores have none yet. It is read only for stacks that would be rejected, because that costs
        another read of the files.
        """
        found: dict[RootedPath, UserMetadata | PhotoError | None] = {
            stack.primary.photo.place: metadata_read_with(stack) for stack in stacks
        }
        now = self.clock.now()
        wanted = [
            stack
            for stack in stacks
            if found[stack.primary.photo.place] is None and is_rejected(stack, self._policy(stack), now)
        ]
        answers = self.user_metadata([user_metadata_request(stack) for stack in wanted]) if wanted else []
        found |= {stack.primary.photo.place: answer for stack, answer in zip(wanted, answers, strict=True)}
        return [_with(stack, found[stack.primary.photo.place]) for stack in stacks]

    def _with_sharpness(self, stacks: Sequence[Stack]) -> Sequence[Stack]:
        """Return the stacks, those of a burst with the sharpness of its frames.

        It is measured only where it can protect a frame, because that costs a decoding in full resolution. It stays
        unknown for a burst with a frame that cannot be read now.
        """
        now = self.clock.now()
        bursts: dict[tuple[RootedPath, ...], Series] = {
            members_of(stack.series): stack.series
            for stack in stacks
            if stack.series is not None
            and needs_sharpness(stack, self._policy(stack))
            and is_rejected(replace(stack, series=None), self._policy(stack), now)
        }
        if not bursts or self.compare is None:
            return stacks
        answers = self.compare([SharpnessRequest(burst.members) for burst in bursts.values()])
        found = {
            members: answer
            for members, answer in zip(bursts, answers, strict=True)
            if not isinstance(answer, PhotoError)
        }
        return [_with_sharpness_of(stack, found) for stack in stacks]

    def _decided(self, stack: Stack) -> Decision | PhotoError:
        decision = decide(
            stack,
            self._policy(stack),
            now=self.clock.now(),
            restored=any(self.is_restored(member.photo) for member in stack.members),
        )
        moving = decision.verdict is Verdict.QUARANTINE
        a_better_shot_may_come = stack.series is not None and rejected(stack.primary, decision.policy)
        if (moving or a_better_shot_may_come) and self.hold.must_wait(decision.photo, decision.policy.protect):
            return PhotoDeferredError("it waits for other shots of its series: more photos are arriving")
        return self._braked(decision, moving=moving)

    def _braked(self, decision: Decision, *, moving: bool) -> Decision:
        why = self.brake(decision.policy, decision.photo.place, moving)
        return decision.held_back(why) if moving and why else decision

    def _with_shots_together(self, decisions: Sequence[Decision | PhotoError]) -> list[Decision | PhotoError]:
        """Hold back all photos of a shot if the brake holds back one: they move together, or stay."""
        held = {shot_id(each.stack) for each in decisions if not isinstance(each, PhotoError) and _is_held(each)} - {""}
        return [
            self._braked(each, moving=True)
            if not isinstance(each, PhotoError) and each.verdict is Verdict.QUARANTINE and shot_id(each.stack) in held
            else each
            for each in decisions
        ]

    def _policy(self, stack: Stack) -> Policy:
        photo = stack.primary.photo
        return self.policy_of(photo.place.root).about(photo.format)


def user_metadata_request(stack: Stack) -> UserMetadataRequest:
    """Return the request for the user metadata of a shot: its photos and their XMP sidecars."""
    beside = (*stack.sidecars, *stack.sibling_sidecars)
    sidecars = tuple(place for place in beside if place.relative.suffix.lower() == ".xmp")
    return UserMetadataRequest(tuple(member.photo for member in stack.members), sidecars)


def metadata_read_with(stack: Stack) -> UserMetadata | None:
    """Return the user metadata that was read together with the photos of a shot; None if a part was not read."""
    sources = [member.user_metadata for member in stack.members]
    own = [each.own for each in sources if each is not None]
    beside = {place: found for each in sources if each is not None for place, found in each.sidecars}
    sidecars = user_metadata_request(stack).sidecars
    if len(own) < len(sources) or not all(place in beside for place in sidecars):
        return None
    return together([*own, *(beside[place] for place in sidecars)])


def _with(stack: Stack, found: UserMetadata | PhotoError | None) -> Stack | PhotoError:
    if isinstance(found, PhotoError):
        return found
    return stack if found is None else replace(stack, user_metadata=found)


def _is_held(decision: Decision) -> bool:
    return decision.would_reject and decision.verdict is not Verdict.QUARANTINE


def _with_sharpness_of(stack: Stack, found: Mapping[tuple[RootedPath, ...], tuple[Subject, ...]]) -> Stack:
    subjects = None if stack.series is None else found.get(members_of(stack.series))
    return stack if subjects is None else with_subjects(stack, subjects)
