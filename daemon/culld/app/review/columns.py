"""The rows of the index as one array: a row of the journal, and the state of its photo, in 100 bytes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.journal.review import INDEX_COLUMNS
from culld.records import PlanState, Verdict, display_path
from culld.records.review import Answer, ReviewState
from culld.stages.decide.feedback import DELETED, UNCLEAR, UNDECIDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

STATES: Final = tuple(ReviewState)
"""The states in the order of their numbers in the column `state`."""
VERDICTS: Final = (Verdict.KEEP, Verdict.TAG, Verdict.QUARANTINE, Verdict.UNREADABLE)
"""The verdicts in the order of their numbers in the column `verdict`."""

# fmt: off
ROW: Final = np.dtype([
    ("id", "<u4"), ("taken", "<u4"), ("made", "<u4"), ("blur", "<f8"), ("under", "<f8"), ("over", "<f8"),
    ("focus", "<f8"), ("light", "<f4"), ("burst", "<u4"), ("shot", "<u4"), ("folder", "<u2"), ("camera", "<u2"),
    ("rule", "<u2"), ("policy", "<u2"), ("verdict", "u1"), ("state", "u1"), ("open", "?"), ("failed", "?"),
    ("restored", "?"), ("released", "u1"), ("superseded", "?"), ("replaced", "?"), ("answer", "u1"), ("unwanted", "?"),
    ("change", "<i8"),
])
# fmt: on
"""`taken` and `made` are seconds since 1970, the first by the camera's clock, 0 if it is not known; `light` is the
light value and the scores are probabilities, NaN if they are not known. `burst` and `shot` are equal for the photos of
a series and of a shot, 0 for none. `open`: the plan has not ended; `failed`: it was not carried out. `superseded`:
there is a later decision about the photo at its path now; `replaced`: about one at its path at the decision. `released`
is a number of `RELEASES`, `answer` one of `ANSWERS`; `change` is the last change of the row."""

RELEASES: Final = ("", DELETED, UNDECIDED, UNCLEAR, "another")
"""How a photo left the quarantine, by the numbers in the column `released`; the last stands for every other way."""
ANSWERS: Final = ("", *Answer)
"""The answers by the numbers in the column `answer`."""

_OPEN = {PlanState.OPEN, PlanState.NEEDS_ATTENTION}
_VERDICT_NUMBERS: Final = {verdict.value: number for number, verdict in enumerate(VERDICTS)}
_NAMED_AT_MOST = 65_535
_AT_A_TIME = 4_096
_LAST_SECOND = 2**32 - 1


@dataclass(slots=True)
class Names:
    """Numbers for texts, in the order of their first use; beyond the largest one they share the last."""

    texts: list[str] = field(default_factory=list)
    _numbers: dict[object, int] = field(default_factory=dict)

    @property
    def keys(self) -> list[Any]:
        """Return the keys in the order of their numbers."""
        return list(self._numbers)

    def number(self, key: object, text: Callable[[], str] | str = "") -> int:
        """Return the number of a key; `text` is its text, or makes it."""
        found = self._numbers.get(key)
        if found is None:
            found = len(self.texts)
            if found >= _NAMED_AT_MOST:
                return _NAMED_AT_MOST - 1
            self._numbers[key] = found
            self.texts.append(text if isinstance(text, str) else text())
        return found


@dataclass(slots=True)
class Dictionaries:
    """The texts that the numbers of a row stand for; the text of an unknown camera is empty."""

    folders: Names = field(default_factory=Names)
    cameras: Names = field(default_factory=Names)
    rules: Names = field(default_factory=Names)
    policies: Names = field(default_factory=Names)
    series: dict[str, int] = field(default_factory=dict)
    shots: dict[str, int] = field(default_factory=dict)

    def rows_of(self, found: Iterator[tuple[Any, ...]]) -> NDArray[np.void]:
        """Return the array for rows of `ReviewReader.index_rows`; superseded, answer and state are not set.

        Some thousand rows are converted at a time: as objects of Python they take ten times the memory.
        """
        parts = [np.zeros(0, ROW)]
        while part := list(islice(found, _AT_A_TIME)):
            parts.append(self._part(part))
        return np.concatenate(parts)

    def _part(self, part: list[tuple[Any, ...]]) -> NDArray[np.void]:
        columns = dict(zip(INDEX_COLUMNS, zip(*part, strict=True), strict=True))
        rows = np.zeros(len(part), ROW)
        rows["id"] = columns["id"]
        for score in ("blur", "under", "over", "focus"):
            rows[score] = _numbers(columns[score])
        rows["taken"] = np.nan_to_num(_numbers(columns["taken"])).clip(0, _LAST_SECOND)
        rows["made"] = (_numbers(columns["made_at"]) // 1e6).clip(0, _LAST_SECOND)
        time_s, aperture, iso = (_positive(columns[name]) for name in ("time_s", "aperture", "iso"))
        rows["light"] = np.log2(aperture**2 / time_s) - np.log2(iso / 100)
        rows["burst"] = [_number_in(self.series, series) for series in columns["series"]]
        rows["shot"] = [_number_in(self.shots, shot) for shot in columns["shot"]]
        rows["folder"] = list(map(self._folder, columns["root"], columns["relative"]))
        rows["camera"] = [self.cameras.number(each, each if isinstance(each, str) else "") for each in columns["model"]]
        rows["rule"] = [self.rules.number(rule, rule) for rule in columns["rule"]]
        rows["policy"] = [self.policies.number(policy, policy) for policy in columns["policy"]]
        rows["verdict"] = [_VERDICT_NUMBERS[verdict] for verdict in columns["verdict"]]
        rows["open"] = [state in _OPEN for state in columns["state"]]
        rows["failed"] = [state != PlanState.DONE for state in columns["state"]]
        rows["restored"] = columns["restored"]
        rows["released"] = [released_number(released) for released in columns["released"]]
        rows["unwanted"] = columns["unwanted"]
        return rows

    def _folder(self, root: bytes, relative: bytes) -> int:
        key = (root, relative.rpartition(b"/")[0])
        return self.folders.number(key, lambda: display_path(Path(os.fsdecode(key[0])) / os.fsdecode(key[1])))


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
    gone = np.isin(rows["released"], [RELEASES.index(UNCLEAR), RELEASES.index(DELETED)])
    found: NDArray[np.bool_] = (rows["superseded"] | (rows["replaced"] & gone)) & ~is_away(rows)
    return found


def is_away(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return the rows whose photos are in quarantine."""
    moved = (rows["verdict"] == VERDICTS.index(Verdict.QUARANTINE)) & ~rows["failed"]
    away: NDArray[np.bool_] = moved & ~rows["restored"] & (rows["released"] == 0)
    return away


def released_number(released: str) -> int:
    """Return the number for a way in which a photo left the quarantine."""
    return RELEASES.index(released) if released in RELEASES else len(RELEASES) - 1


def _number_in(known: dict[str, int], text: str) -> int:
    """Return the number of a text, a new one if it is not known; 0 for an empty one."""
    return known.setdefault(text, len(known) + 1) if text else 0


def _numbers(values: Sequence[object]) -> NDArray[np.float64]:
    """Return numbers as an array, NaN for everything else."""
    try:
        return np.array(values, np.float64)  # None becomes NaN
    except (TypeError, ValueError):
        return np.array([each if isinstance(each, int | float) else np.nan for each in values], np.float64)


def _positive(values: Sequence[object]) -> NDArray[np.float64]:
    found = _numbers(values)
    return np.where(found > 0, found, np.nan)
