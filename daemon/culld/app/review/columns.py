"""The rows of the index as one array: a row of the journal, and the state of its photo, in 100 bytes."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.records import PlanState, Verdict, display_path
from culld.records.review import Answer, ReviewState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

STATES: Final = tuple(ReviewState)
"""The states in the order of their numbers in the column `state`."""
VERDICTS: Final = (Verdict.KEEP, Verdict.TAG, Verdict.QUARANTINE, Verdict.UNREADABLE)
"""The verdicts in the order of their numbers in the column `verdict`."""

# fmt: off
ROW: Final = np.dtype([
    ("id", "<u4"), ("taken", "<u4"), ("made", "<u4"), ("blur", "<f8"), ("under", "<f8"), ("over", "<f8"),
    ("focus", "<f8"), ("light", "<f4"), ("longest", "<u4"), ("burst", "<u4"), ("folder", "<u2"), ("camera", "<u2"),
    ("rule", "<u2"), ("policy", "<u2"), ("verdict", "u1"), ("state", "u1"), ("open", "?"), ("failed", "?"),
    ("restored", "?"), ("released", "u1"), ("superseded", "?"), ("answer", "u1"), ("unwanted", "?"),
    ("change", "<i8"),
])
# fmt: on
"""`taken` and `made` are seconds since 1970, the first by the camera's clock, 0 if it is not known; `light` is the
light value and the scores are probabilities, NaN if they are not known. `open`: the plan has not ended; `failed`: it
was not carried out. `released` is a number of `RELEASES`, `answer` one of `ANSWERS`; `change` is the last change of the
row."""

RELEASES: Final = ("", "deleted", "undecided", "unclear", "another")
"""How a photo left the quarantine, by the numbers in the column `released`; the last stands for every other way."""
ANSWERS: Final = ("", *Answer)
"""The answers by the numbers in the column `answer`."""

_OPEN = {PlanState.OPEN, PlanState.NEEDS_ATTENTION}
_NAMED_AT_MOST = 65_535
_LAST_SECOND = 2**32 - 1


@dataclass(slots=True)
class Names:
    """Numbers for texts, in the order of their first use; beyond the largest one they share the last."""

    texts: list[str] = field(default_factory=list)
    _numbers: dict[object, int] = field(default_factory=dict)

    def __contains__(self, key: object) -> bool:
        return key in self._numbers

    def number(self, key: object, text: str = "") -> int:
        """Return the number of a key, whose text is `text`."""
        found = self._numbers.get(key)
        if found is None:
            found = len(self.texts)
            if found >= _NAMED_AT_MOST:
                return _NAMED_AT_MOST - 1
            self._numbers[key] = found
            self.texts.append(text)
        return found


@dataclass(slots=True)
class Dictionaries:
    """The texts that the numbers of a row stand for; the first camera is the unknown one."""

    folders: Names = field(default_factory=Names)
    cameras: Names = field(default_factory=Names)
    rules: Names = field(default_factory=Names)
    policies: Names = field(default_factory=Names)
    series: dict[str, int] = field(default_factory=dict)

    def rows_of(self, found: Iterable[tuple[Any, ...]]) -> NDArray[np.void]:
        """Return the array for rows of `ReviewReader.index_rows`; superseded, answer and state are not set."""
        return np.array([self._row(row) for row in found], ROW)

    def _row(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        # fmt: off
        (number, root, relative, verdict, state, restored, released, unwanted, blur, under, over, focus, series, taken,
         model, time_s, aperture, iso, width, height, made, rule, policy) = row
        return (
            number, _seconds(taken), _seconds(made // 1_000_000), _score(blur), _score(under), _score(over),
            _score(focus), _light(time_s, aperture, iso), max(_whole(width), _whole(height)), self._series(series),
            self._folder(root, relative), self.cameras.number(model, model if isinstance(model, str) else ""),
            self.rules.number(rule, rule), self.policies.number(policy, policy), VERDICTS.index(verdict), 0,
            state in _OPEN, state != PlanState.DONE, bool(restored), released_number(released), False, 0,
            bool(unwanted), 0,
        )
        # fmt: on

    def _folder(self, root: bytes, relative: bytes) -> int:
        key = (root, relative.rpartition(b"/")[0])
        if key in self.folders:
            return self.folders.number(key)
        return self.folders.number(key, display_path(Path(os.fsdecode(key[0])) / os.fsdecode(key[1])))

    def _series(self, series: str) -> int:
        return self.series.setdefault(series, len(self.series) + 1) if series else 0


def set_states(rows: NDArray[np.void]) -> None:
    """Set the column `state` of rows, as `records.review.review_state` does for one decision."""
    number = {state: STATES.index(state) for state in ReviewState}
    verdict, right = rows["verdict"], rows["answer"] == ANSWERS.index(Answer.RIGHT)
    left = np.where(rows["released"] > 0, number[ReviewState.LEFT], number[ReviewState.REJECTED])
    left = np.where((left == number[ReviewState.REJECTED]) & right, number[ReviewState.CONFIRMED], left)
    quarantined = np.where(rows["restored"], number[ReviewState.RESTORED], left)
    tagged = np.where(right, number[ReviewState.TAG_CONFIRMED], number[ReviewState.TAGGED])
    tagged = np.where(rows["answer"] == ANSWERS.index(Answer.UNTAGGED), number[ReviewState.UNTAGGED], tagged)
    state = np.select(
        [verdict == VERDICTS.index(each) for each in (Verdict.TAG, Verdict.QUARANTINE, Verdict.UNREADABLE)],
        [tagged, quarantined, np.uint8(number[ReviewState.UNREADABLE])],
        number[ReviewState.KEPT],
    )
    state = np.where(rows["failed"], number[ReviewState.UNFINISHED], state)
    rows["state"] = np.where(is_superseded(rows), number[ReviewState.SUPERSEDED], state)


def is_superseded(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return which rows are not about a photo as it is now; one in quarantine is not the one at its old path."""
    return rows["superseded"] & ~is_away(rows)


def is_away(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return the rows whose photos are in quarantine."""
    moved = (rows["verdict"] == VERDICTS.index(Verdict.QUARANTINE)) & ~rows["failed"]
    away: NDArray[np.bool_] = moved & ~rows["restored"] & (rows["released"] == 0)
    return away


def released_number(released: str) -> int:
    """Return the number for a way in which a photo left the quarantine."""
    return RELEASES.index(released) if released in RELEASES else len(RELEASES) - 1


def _score(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _whole(value: object) -> int:
    return value if isinstance(value, int) and 0 < value <= _LAST_SECOND else 0


def _seconds(value: int | None) -> int:
    return 0 if value is None else min(max(value, 0), _LAST_SECOND)


def _light(time_s: object, aperture: object, iso: object) -> float:
    """Return the light value of an exposure, as `records.Exposure.light_value`; NaN if it is not known."""
    match time_s, aperture, iso:
        case (int() | float(), int() | float(), int() | float()) if time_s > 0 and aperture > 0 and iso > 0:
            return math.log2(aperture**2 / time_s) - math.log2(iso / 100)
    return math.nan
