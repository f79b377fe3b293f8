"""What people answered to decisions, over the columns of the index: restores, deletions, and answers on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.app.review.columns import ANSWERS, RELEASES, VERDICTS
from culld.app.review.intervals import wilson
from culld.records import Defect, Verdict
from culld.records.review import BY_PERSON, Answer
from culld.stages.decide.feedback import DELETED, UNCLEAR, UNDECIDED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culld.app.review.columns import Names

DEFECTS: Final = tuple(Defect)
BY_RULE: Final = len(DEFECTS)
"""The value of `deciding_defect` for a photo that a named rule decided about."""
OF_CLIP: Final = BY_RULE + 1
"""The value of `deciding_defect` for a clip that a threshold of clips decided about."""
NO_DEFECT: Final = OF_CLIP + 1
"""The value of `deciding_defect` for a photo that nothing was found in, or that a person decided about."""


def deciding_defect(rows: NDArray[np.void], rules: Names) -> NDArray[np.uint8]:
    """Return for each row the position in `DEFECTS` of the defect that decided, else one of the values above."""
    table = np.array([_defect_of(rule) for rule in rules.texts] or [NO_DEFECT], np.uint8)
    found: NDArray[np.uint8] = table[rows["rule"]]
    return found


def _defect_of(rule: str) -> int:
    parts = rule.split(".")
    if parts[:2] == ["policy", "defects"] and len(parts) > 2 and parts[2] in set(Defect):
        return DEFECTS.index(Defect(parts[2]))
    if parts[:2] == ["policy", "clips"]:
        return OF_CLIP
    return NO_DEFECT if rule in {"", BY_PERSON} else BY_RULE


def is_reject(rows: NDArray[np.void], rules: Names) -> NDArray[np.bool_]:
    """Return which rows are rejects of the policy that were carried out."""
    moved = (rows["verdict"] == VERDICTS.index(Verdict.QUARANTINE)) & ~rows["failed"]
    found: NDArray[np.bool_] = moved & (deciding_defect(rows, rules) != NO_DEFECT)
    return found


def is_false(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return which rows a person has called wrong: brought back from quarantine, or the tags taken out."""
    found: NDArray[np.bool_] = (rows["restored"] & (rows["released"] != RELEASES.index(UNDECIDED))) | (
        rows["answer"] == ANSWERS.index(Answer.UNTAGGED)
    )
    return found


def is_right(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return which rows a person has called right: confirmed on the page, or deleted from quarantine."""
    confirmed = (rows["answer"] == ANSWERS.index(Answer.RIGHT)) & (rows["released"] != RELEASES.index(UNCLEAR))
    found: NDArray[np.bool_] = (confirmed | (rows["released"] == RELEASES.index(DELETED))) & ~is_false(rows)
    return found


def rate(rows: NDArray[np.void]) -> dict[str, Any]:
    """Return the answers to some rows: how many, how many of them false, and the 95 % interval of the false rate."""
    false = int(is_false(rows).sum())
    answers = false + int(is_right(rows).sum())
    low, high = wilson(false, answers)
    return {"answers": answers, "false": false, "low": round(low, 4), "high": round(high, 4)}
