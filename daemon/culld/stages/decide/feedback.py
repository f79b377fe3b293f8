"""Feedback of the user on rejects, and thresholds that follow from it; pure.

A photo that the user restored was a false reject; a photo that the user deleted from quarantine, or whose decision the
user confirmed on the review page, was a right one.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from culld.records import Defect, FileStat, Photo, RecordedDecision


class Feedback(StrEnum):
    """What the user did with a rejected photo."""

    FALSE_REJECT = "brought back"
    CONFIRMED = "deleted or confirmed"
    PENDING = "in quarantine"
    NONE = "gone without an answer"
    UNCLEAR = "unclear"


class Reappearance(StrEnum):
    """How a photo that culld had moved to quarantine, and that is gone from there, came to a watched folder."""

    BROUGHT_BACK = "brought back"
    COPIED_AGAIN = "copied again"
    UNCLEAR = "unclear"


DELETED: Final = "deleted"
UNCLEAR: Final = "unclear"
UNDECIDED: Final = "undecided"
"""Values of `RecordedDecision.released` that follow from feedback."""


@dataclass(frozen=True, slots=True)
class QuarantinedFeedback:
    """A reject and its feedback."""

    reject: RecordedDecision
    feedback: Feedback


@dataclass(frozen=True, slots=True)
class FeedbackCounts:
    """The number of rejects of one defect, camera or rule for each feedback."""

    name: str
    counts: Counter[Feedback]

    @property
    def false_rate(self) -> float | None:
        """The share of false rejects, 0..1, among rejects that were restored or deleted; None if there are none."""
        known = self.counts[Feedback.FALSE_REJECT] + self.counts[Feedback.CONFIRMED]
        return self.counts[Feedback.FALSE_REJECT] / known if known else None


def feedback_for(reject: RecordedDecision, *, gone: bool, confirmed: bool = False) -> Feedback:
    """Return the feedback on a reject.

    `gone`: its photo is no longer in quarantine; `confirmed`: the user called the decision right.
    """
    if reject.restored and reject.released != UNDECIDED:
        return Feedback.FALSE_REJECT
    if confirmed and reject.released != UNCLEAR:
        return Feedback.CONFIRMED
    if reject.released:
        return _FEEDBACK.get(reject.released, Feedback.NONE)
    return Feedback.CONFIRMED if gone else Feedback.PENDING


_FEEDBACK: Final = {DELETED: Feedback.CONFIRMED, UNCLEAR: Feedback.UNCLEAR}


def reappearance(reject: RecordedDecision, photo: Photo) -> Reappearance:
    """Return how a photo with the content of a reject, whose file is gone from quarantine, came to a watched folder.

    - culld wrote keywords into the reject, and the photo has them: these bytes were in quarantine only, so the user
      brought the photo back.
    - culld wrote keywords into the reject, and the photo has the bytes from before: it is a copy of the original (the
      memory card was copied again), and the user deleted the reject.
    - culld did not write into the reject, and the photo has its device, inode, size and mtime: the user moved the file
      back. This does not hold after the reject was recorded as deleted: a new file may have its inode number.
    - Otherwise it is unclear: the user may have moved it by way of another disk. The photo is not moved again, and this
      is no feedback.
    """
    if len(reject.digests) > 1:
        return Reappearance.BROUGHT_BACK if photo.digest == reject.now_digest else Reappearance.COPIED_AGAIN
    if reject.released or reject.stamp is None or not _is_same_file(reject.stamp, photo.stamp):
        return Reappearance.UNCLEAR
    return Reappearance.BROUGHT_BACK


def _is_same_file(one: FileStat, other: FileStat) -> bool:
    """Return whether two stamps are of one file, renamed or not; a rename changes its ctime only."""
    return (one.device, one.inode, one.size, one.mtime_ns) == (other.device, other.inode, other.size, other.mtime_ns)


def feedback_counts(
    answered: Iterable[QuarantinedFeedback], name_of: Callable[[RecordedDecision], str]
) -> list[FeedbackCounts]:
    """Return the feedback counts for each result of `name_of`, the name with the most rejects first."""
    found: dict[str, Counter[Feedback]] = {}
    for each in answered:
        found.setdefault(name_of(each.reject), Counter())[each.feedback] += 1
    every = (FeedbackCounts(name, counts) for name, counts in found.items())
    return sorted(every, key=lambda tally: (-tally.counts.total(), tally.name))


def defect_of(reject: RecordedDecision) -> str:
    """Return the defect by whose threshold a photo was moved; `a rule` if a named rule decided, `clips` for a clip."""
    parts = reject.rule.split(".")
    if parts[:2] == ["policy", "clips"]:
        return "clips"
    return parts[2] if parts[:2] == ["policy", "defects"] and len(parts) > 2 else "a rule"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A threshold for a defect, None if none reaches the precision, and its effect on the rejects with feedback.

    `known` rejects by that defect have feedback, and `false` of them were restored. The threshold would reject
    `still_false` and `still_right` of them as well.
    """

    defect: Defect
    threshold: float | None
    known: int
    false: int
    still_false: int
    still_right: int


def suggest(answered: Iterable[QuarantinedFeedback], defect: Defect, precision: float, least: int) -> Suggestion:
    """Return the lowest threshold at which at least the share `precision` (0..1) of the rejects with feedback is right.

    It has three decimals. Only rejects by the threshold of the defect count; with feedback on fewer than `least` of
    them the threshold is None. It is never below the lowest score with feedback: below that there is no evidence.
    """
    known = sorted(
        (
            (math.floor(1000 * each.reject.score(defect)) / 1000, each.feedback is Feedback.FALSE_REJECT)
            for each in answered
            if defect_of(each.reject) == defect and each.feedback in {Feedback.FALSE_REJECT, Feedback.CONFIRMED}
        ),
        reverse=True,
    )
    false = sum(wrong for _, wrong in known)
    best = _lowest_threshold(known, precision) if len(known) >= least else None
    reached = [wrong for score, wrong in known if best is not None and score >= best]
    return Suggestion(defect, best, len(known), false, sum(reached), len(reached) - sum(reached))


def _lowest_threshold(known: Sequence[tuple[float, bool]], precision: float) -> float | None:
    """Return the lowest score at and above which the share of right rejects is at least `precision`, else None.

    `known` holds pairs of score and whether the reject was false, the highest score first.
    """
    best, wrong_so_far = None, 0
    for count, (score, wrong) in enumerate(known, start=1):
        wrong_so_far += wrong
        is_last_of_score = count == len(known) or known[count][0] < score
        if is_last_of_score and (count - wrong_so_far) / count >= precision:
            best = score
    return best
