"""Whether a repaired copy is kept: a pure decision from the scores before and after, and from what the repair changed.

A copy must be better where the photo was bad, and worse nowhere. The reasons are sentences for a photographer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.enhance.gain import Gain
from culld.records import Defect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from culld.records import Scores

STRUCTURE: Final = 0.9
"""The least structural similarity of a copy to its photo, after a match of their tones."""
MOST_CLIPPED: Final = 0.3
"""The largest share of burnt-out pixels of an over-exposed photo: beyond it a repair only turns white into grey."""
MOST_RISE: Final = 0.05
"""How much the probability of another defect may rise."""
EXPOSURE: Final = (Defect.UNDER, Defect.OVER)
NAMES: Final = {
    Defect.BLUR: "blurred",
    Defect.UNDER: "under-exposed",
    Defect.OVER: "over-exposed",
    Defect.FOCUS: "out of focus",
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """The copy is kept, for a reason in one sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Discarded:
    """The copy is not kept, or not even made, for a reason in one sentence."""

    reason: str


def accept(
    before: Scores, after: Scores, structure: float, tags: Mapping[Defect, float], repair: Defect | Gain
) -> Accepted | Discarded:
    """Decide about a copy by the scores of the photo and of the copy, and by the structure that is kept (-1..1).

    `tags` are the probabilities from which culld tags each defect. `repair` is the defect of exposure that was
    repaired, or the gain of a repair of compression. A defect that was measured on one of the two only does not count.
    """
    reasons = (*_not_better(before, after, tags, repair), *_changed(structure), *_worse(before, after, tags, repair))
    return Discarded(reasons[0]) if reasons else Accepted(_better(before, after, repair))


def refusal_for_clipping(defect: Defect, clipped: float) -> Discarded | None:
    """Return why an over-exposed photo with this share 0..1 of burnt-out pixels is not repaired; None if it may be."""
    if defect is not Defect.OVER or clipped <= MOST_CLIPPED:
        return None
    return Discarded(
        f"{clipped:.0%} of the photo is burnt out: nothing is left there that a repair could bring back "
        f"(at most {MOST_CLIPPED:.0%})"
    )


def exposure_defect(scores: Scores, tags: Mapping[Defect, float]) -> Defect | None:
    """Return the more probable one of under- and over-exposure that reaches its tag threshold; None if none does."""
    reached = [defect for defect in EXPOSURE if scores.of(defect) >= tags[defect]]
    return max(reached, key=scores.of, default=None)


def _not_better(before: Scores, after: Scores, tags: Mapping[Defect, float], repair: Defect | Gain) -> Iterator[str]:
    if isinstance(repair, Gain):
        if not repair.is_real:
            yield f"the repair would make no visible difference (estimated gain {repair.decibels:.1f} dB)"
        return
    if after.of(repair) >= tags[repair]:
        yield (
            f"the copy would still be {NAMES[repair]} "
            f"({before.of(repair):.2f} before, {after.of(repair):.2f} after, below {tags[repair]:.2f} wanted)"
        )


def _changed(structure: float) -> Iterator[str]:
    if not structure >= STRUCTURE:
        yield f"the repair would change the picture itself (structure {structure:.2f}, at least {STRUCTURE:.2f} wanted)"


def _worse(before: Scores, after: Scores, tags: Mapping[Defect, float], repair: Defect | Gain) -> Iterator[str]:
    for defect in before.known:
        if defect is repair or defect not in after.known:
            continue
        old, new = before.of(defect), after.of(defect)
        if old < tags[defect] <= new or new - old > MOST_RISE:
            yield f"the copy would be more {NAMES[defect]} than the photo ({old:.2f} before, {new:.2f} after)"


def _better(before: Scores, after: Scores, repair: Defect | Gain) -> str:
    if isinstance(repair, Gain):
        return f"the traces of JPEG compression are reduced (estimated gain {repair.decibels:.1f} dB)"
    return f"the copy is no longer {NAMES[repair]} ({before.of(repair):.2f} before, {after.of(repair):.2f} after)"
