"""Which wishes apply to a photo in which state; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from culld.records import BY_PERSON, Answer, ReviewState, WishKind

if TYPE_CHECKING:
    from culld.journal.wish_reader import OpenItem
    from culld.records import RecordedDecision

_KEPT, _TAGGED, _TAG_CONFIRMED = ReviewState.KEPT, ReviewState.TAGGED, ReviewState.TAG_CONFIRMED
_REJECTED, _CONFIRMED, _LEFT = ReviewState.REJECTED, ReviewState.CONFIRMED, ReviewState.LEFT
_RESTORED, _UNTAGGED = ReviewState.RESTORED, ReviewState.UNTAGGED

APPLIES_TO: Final = {
    WishKind.RESTORE: frozenset({_REJECTED, _CONFIRMED, _TAGGED, _TAG_CONFIRMED}),
    WishKind.CONFIRM: frozenset({_REJECTED, _TAGGED}),
    WishKind.WITHDRAW: frozenset({_CONFIRMED, _TAG_CONFIRMED, _RESTORED, _UNTAGGED}),
    WishKind.REJECT: frozenset({_KEPT, _TAGGED, _TAG_CONFIRMED, _RESTORED, _UNTAGGED, _LEFT}),
    WishKind.RESUME: frozenset[ReviewState](),
    WishKind.APPLY_POLICY: frozenset({_KEPT, _TAGGED, _TAG_CONFIRMED, _REJECTED, _CONFIRMED}),
    WishKind.ENHANCE: frozenset({_KEPT, _TAGGED, _TAG_CONFIRMED, _REJECTED, _CONFIRMED, _RESTORED, _UNTAGGED, _LEFT}),
}
"""The states of photos to which the kinds of wishes apply."""


def refusal(kind: WishKind, item: OpenItem, decision: RecordedDecision, state: ReviewState) -> str:
    """Return why nothing is done for a photo of a wish, as a sentence; empty if the wish applies.

    `state` is the state of the photo now.
    """
    if state is not item.item.seen:
        return f"The photo is not in the state that was shown: it was {item.item.seen}, and it is {state} now."
    if state not in APPLIES_TO[kind]:
        return f"A wish of the kind {kind} does not apply to a photo that is {state}."
    if kind is WishKind.APPLY_POLICY and decision.rule == BY_PERSON and decision.away:
        return "A person rejected the photo, and no policy brings it back."
    return ""


def answer_of(kind: WishKind, state: ReviewState) -> tuple[bool, Answer | None]:
    """Return whether a wish only changes the answer to a decision, and the answer; None deletes it."""
    if kind is WishKind.CONFIRM:
        return True, Answer.RIGHT
    return kind is WishKind.WITHDRAW and state in {_CONFIRMED, _TAG_CONFIRMED}, None
