"""What people's answers say about the policy: pure.

A photo that a person brought back was a false reject; one that a person deleted from quarantine was rightly taken.
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
    """What a person did with a reject."""

    FALSE_REJECT = "brought back"
    CONFIRMED = "deleted"
    PENDING = "in quarantine"
    NONE = "left without a word"
    UNCLEAR = "unclear"


class Reappearance(StrEnum):
    """How a content that culld had moved to quarantine, and that is gone from there, came to a watched folder."""

    BROUGHT_BACK = "brought back"
    COPIED_AGAIN = "copied again"
    UNCLEAR = "unclear"


DELETED: Final = "deleted"
UNCLEAR: Final = "unclear"
UNDECIDED: Final = "undecided"
"""Values of `RecordedDecision.released` that the answers of people leave."""


@dataclass(frozen=True, slots=True)
class QuarantinedFeedback:
    """A reject and its answer."""

    reject: RecordedDecision
    feedback: Feedback


@dataclass(frozen=True, slots=True)
class FeedbackCounts:
    """The answers to the rejects of one defect, camera or rule."""

    name: str
    counts: Counter[Feedback]

    @property
    def false_rate(self) -> float | None:
        """The share of false rejects, 0..1, among those with an answer; None without any."""
        known = self.counts[Feedback.FALSE_REJECT] + self.counts[Feedback.CONFIRMED]
        return self.counts[Feedback.FALSE_REJECT] / known if known else None


def feedback_for(reject: RecordedDecision, *, gone: bool) -> Feedback:
    """The answer to a reject; `gone`: its photo no longer lies in quarantine."""
    if reject.restored and reject.released != UNDECIDED:
        return Feedback.FALSE_REJECT
    if reject.released:
        return _ANSWERS.get(reject.released, Feedback.NONE)
    return Feedback.CONFIRMED if gone else Feedback.PENDING


_ANSWERS: Final = {DELETED: Feedback.CONFIRMED, UNCLEAR: Feedback.UNCLEAR}


def reappearance(reject: RecordedDecision, photo: Photo) -> Reappearance:
    """How a photo with the content of a reject came back, whose file is no longer in quarantine.

    - culld wrote keywords into the photo, and it has them: these bytes were in quarantine only, so a person brought the
      photo back, by whatever way.
    - culld wrote into the photo, and it has the bytes from before: it is a copy of the original (the card was copied
      again), and the reject was deleted.
    - culld did not write into it, so original and reject are equal. It is the file that lay in quarantine, with the
      same device, inode, size and modification time: a person moved it. After the reject was noted as deleted, the
      inode number may have been given to a new file, so this no longer tells.
    - All else is unclear: it may have been moved by way of another disk. It is not taken again, and is no answer.
    """
    if len(reject.digests) > 1:
        return Reappearance.BROUGHT_BACK if photo.digest == reject.now_digest else Reappearance.COPIED_AGAIN
    if reject.released or reject.stamp is None or not _is_same_file(reject.stamp, photo.stamp):
        return Reappearance.UNCLEAR
    return Reappearance.BROUGHT_BACK


def _is_same_file(one: FileStat, other: FileStat) -> bool:
    """Whether two stamps are of one file that was at most renamed, which changes its ctime alone."""
    return (one.device, one.inode, one.size, one.mtime_ns) == (other.device, other.inode, other.size, other.mtime_ns)


def feedback_counts(
    answered: Iterable[QuarantinedFeedback], name_of: Callable[[RecordedDecision], str]
) -> list[FeedbackCounts]:
    """The answers by what `name_of` says of each reject, the most frequent first."""
    found: dict[str, Counter[Feedback]] = {}
    for each in answered:
        found.setdefault(name_of(each.reject), Counter())[each.feedback] += 1
    every = (FeedbackCounts(name, counts) for name, counts in found.items())
    return sorted(every, key=lambda tally: (-tally.counts.total(), tally.name))


def defect_of(reject: RecordedDecision) -> str:
    """The defect by whose threshold a photo was moved; `a rule` if a named rule decided."""
    parts = reject.rule.split(".")
    return parts[2] if parts[:2] == ["policy", "defects"] and len(parts) > 2 else "a rule"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A threshold for a defect, None if none is good enough, and what to expect of it by the answers so far.

    Of the `known` answered rejects by that defect, `false` were brought back; `still_false` and `still_right` would be
    moved by the threshold as well.
    """

    defect: Defect
    threshold: float | None
    known: int
    false: int
    still_false: int
    still_right: int


def suggest(answered: Iterable[QuarantinedFeedback], defect: Defect, precision: float, least: int) -> Suggestion:
    """The lowest threshold for which at least the share `precision` of the answered rejects was right.

    It has three decimals. Only rejects by the defect's own threshold count, and fewer than `least` answers suggest
    nothing. Nothing lower than what was moved so far can be suggested: nobody has answered for that.
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
    """The lowest score of which it and all above are right often enough; `known` begins with the highest."""
    best, wrong_so_far = None, 0
    for count, (score, wrong) in enumerate(known, start=1):
        wrong_so_far += wrong
        is_last_of_score = count == len(known) or known[count][0] < score
        if is_last_of_score and (count - wrong_so_far) / count >= precision:
            best = score
    return best
