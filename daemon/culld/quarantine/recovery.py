"""The recovery of a plan that was begun and not finished: a pure decision over the files on the disk.

Each file of the plan has a source and a target, and each of the two holds the expected bytes, something else, or
nothing. If a file is at its target, the plan is finished, or undone if it cannot be finished; if no file is, the plan
is rolled back, and the photo is judged again. A state that no rule covers is not changed, and is reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Presence(StrEnum):
    """What a place holds, compared with the digest that a move expects."""

    MATCH = "right"
    OTHER = "other"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the source and the target of a move hold."""

    source: Presence
    target: Presence


class Step(StrEnum):
    """What is done with the whole plan."""

    DONE = "done"
    FINISH = "finish"
    UNDO = "undo"
    ROLL_BACK = "forget"
    PARK = "ask"


class Act(StrEnum):
    """What is done with one file: nothing, move it, or unlink the source whose copy is complete."""

    LEAVE = "leave"
    MOVE = "move"
    UNLINK_SOURCE = "release"


def next_step(facts: Sequence[Facts]) -> Step:
    """Return the step for a plan; `facts` has one entry per move, the photo last; it is empty if nothing moves."""
    if not _begun(facts):
        return Step.ROLL_BACK
    if all(_arrived(fact) or _can_move(fact) for fact in facts):
        return Step.DONE if all(forward(fact) is Act.LEAVE for fact in facts) else Step.FINISH
    if _stayed(facts[-1]) and all(_can_return(fact) for fact in facts[:-1]):
        return Step.UNDO
    return Step.PARK


def forward(fact: Facts) -> Act:
    """Return the act for one file of a plan that is finished."""
    if fact.target is Presence.MATCH:
        return Act.UNLINK_SOURCE if fact.source is Presence.MATCH else Act.LEAVE
    return Act.MOVE


def back(fact: Facts) -> Act:
    """Return the act for one file of a plan that is undone; its move is reversed, so the source is its target."""
    if fact.target is not Presence.MATCH:
        return Act.LEAVE
    return Act.UNLINK_SOURCE if fact.source is Presence.MATCH else Act.MOVE


def _begun(facts: Sequence[Facts]) -> bool:
    """Whether a file has left its source, or a copy of it is at the target."""
    return any(
        fact.target is Presence.MATCH or (fact.target is Presence.OTHER and fact.source is Presence.ABSENT)
        for fact in facts
    )


def _arrived(fact: Facts) -> bool:
    return fact.target is Presence.MATCH


def _can_move(fact: Facts) -> bool:
    return fact.source is Presence.MATCH and fact.target is Presence.ABSENT


def _stayed(photo: Facts) -> bool:
    """Whether the photo certainly was not moved; another program may have changed it since."""
    return photo.source is Presence.MATCH or (photo.source, photo.target) == (Presence.OTHER, Presence.ABSENT)


def _can_return(fact: Facts) -> bool:
    """Whether a sidecar is at its source, is gone, or can be moved back."""
    return (
        fact.source is Presence.MATCH
        or fact.target is Presence.ABSENT
        or (fact.source, fact.target) == (Presence.ABSENT, Presence.MATCH)
    )
