"""What people do with the decisions of culld on the review page: wishes, their outcomes, and the state of a photo.

The web process leaves wishes in a folder; the loop of the daemon takes them into the journal and carries them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from culld.records.enums import PlanState, Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from culld.records.recorded import RecordedDecision

MOST_ITEMS: Final = 10_000
"""The largest number of photos in one wish."""

WISH_FOLDER: Final = "wishes"
"""The name of the folder in the state folder in which the web process leaves wishes."""

BY_PERSON: Final = "person"
"""The `rule` of a decision that a person made with a wish `reject`."""


class WishKind(StrEnum):
    """What a wish asks for."""

    RESTORE = "restore"
    """Bring photos back from quarantine; take the tags out of tagged ones. They are never moved or tagged again."""
    CONFIRM = "confirm"
    """The decision is right. It changes no file."""
    WITHDRAW = "withdraw"
    """Take the answer back; a restored or untagged photo is judged again by the policy in force."""
    REJECT = "reject"
    """Move photos to quarantine by the decision of a person."""
    RESUME = "resume"
    """Release the brake. It has no items."""
    APPLY_POLICY = "apply-policy"
    """Decide again about photos by the policy in force, with their stored scores."""
    ENHANCE = "enhance"
    """Make repaired copies of photos."""


class ReviewState(StrEnum):
    """The state of the photo of a decision, as the review page shows it."""

    KEPT = "kept"
    TAGGED = "tagged"
    TAG_CONFIRMED = "tag confirmed"
    REJECTED = "rejected"
    """It is in quarantine, and has no answer yet."""
    CONFIRMED = "confirmed"
    """It is in quarantine, and a person has confirmed the decision."""
    RESTORED = "restored"
    """A person brought it back from quarantine."""
    UNTAGGED = "untagged"
    """A person had the tags taken out."""
    LEFT = "left"
    """It left the quarantine in another way: by a policy, for its series, into the trash, deleted, or unclear."""
    UNREADABLE = "unreadable"
    UNFINISHED = "unfinished"
    """Its plan is open, parked, failed or rolled back."""
    SUPERSEDED = "superseded"
    """There is a later decision about the photo."""


class Answer(StrEnum):
    """The answer of a person to a decision, as the journal stores it; a restored photo has none there."""

    RIGHT = "right"
    UNTAGGED = "untagged"


class ItemState(StrEnum):
    """How far a photo of a wish is."""

    WAITING = "waiting"
    DONE = "done"
    CHANGED = "changed"
    """The photo was not in the state that the page had shown, or the wish does not apply to it; nothing was done."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class WishItem:
    """A photo of a wish: the number of its decision in the journal, and the state that the page had shown."""

    decision: int
    seen: ReviewState


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish of a person.

    `id` is a UUID in its usual form, made by the page: the same id is the same wish. `policy` is the digest of the
    policy that a wish `apply-policy` was shown with, empty for the other kinds.
    """

    id: str
    kind: WishKind
    items: tuple[WishItem, ...] = ()
    policy: str = ""


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """How far a photo of a wish is; `note` is the reason or a remark as a sentence, empty if there is none.

    `now` is the number of the decision that is the latest about the photo afterwards; it differs from `item.decision`
    if the photo was decided about again.
    """

    item: WishItem
    state: ItemState = ItemState.WAITING
    note: str = ""
    now: int | None = None


@dataclass(frozen=True, slots=True)
class WishProgress:
    """A wish that the journal holds; `ended_at` is None while items wait."""

    wish: Wish
    taken_at: datetime
    ended_at: datetime | None
    outcomes: tuple[ItemOutcome, ...]


def review_state(decision: RecordedDecision, answer: Answer | None, *, superseded: bool) -> ReviewState:
    """Return the state of the photo of a decision.

    `superseded`: a later decision about the photo was carried out.
    """
    if superseded:
        return ReviewState.SUPERSEDED
    if decision.state is not PlanState.DONE:
        return ReviewState.UNFINISHED
    return _STATES[decision.verdict](decision, answer)


def _state_of_reject(decision: RecordedDecision, answer: Answer | None) -> ReviewState:
    if decision.restored:
        return ReviewState.RESTORED
    if decision.released:
        return ReviewState.LEFT
    return ReviewState.CONFIRMED if answer is Answer.RIGHT else ReviewState.REJECTED


def _state_of_tagged(_decision: RecordedDecision, answer: Answer | None) -> ReviewState:
    if answer is Answer.UNTAGGED:
        return ReviewState.UNTAGGED
    return ReviewState.TAG_CONFIRMED if answer is Answer.RIGHT else ReviewState.TAGGED


_STATES: Final = {
    Verdict.KEEP: lambda _decision, _answer: ReviewState.KEPT,
    Verdict.UNREADABLE: lambda _decision, _answer: ReviewState.UNREADABLE,
    Verdict.TAG: _state_of_tagged,
    Verdict.QUARANTINE: _state_of_reject,
}
