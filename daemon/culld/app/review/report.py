"""The report of the page: how often people called decisions wrong, and whether the probabilities are right."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.app.review.columns import VERDICTS, is_superseded
from culld.app.review.feedback import DEFECTS, deciding_defect, is_false, is_reject, is_right, rate
from culld.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from culld.app.review.index import Index

_EDGES: Final = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.99, 1.0)
"""The bounds of the classes of calibration: narrow where thresholds lie."""


def report(index: Index) -> dict[str, Any]:
    """Return the rates of false rejects by defect, camera, rule and month, and the calibration of each defect.

    A false reject was brought back by a person; a right one was confirmed, or deleted from quarantine.
    """
    rules = index.names.rules
    rejects = index.rows[is_reject(index.rows, rules)]
    decided = deciding_defect(rejects, rules)
    months = _months(rejects)
    groups = {
        "defect": _groups(rejects, decided, [*DEFECTS, "a rule", "clips"]),
        "camera": _groups(rejects, rejects["camera"], [name or "unknown" for name in index.names.cameras.texts]),
        "rule": _groups(rejects, rejects["rule"], [name or "unknown" for name in rules.texts]),
        "month": sorted(_groups(rejects, *_numbered(months)), key=lambda group: str(group["name"])),
    }
    return {
        "change": index.change,
        "rates": groups,
        "calibration": {defect.value: _calibration(index, number) for number, defect in enumerate(DEFECTS)},
        "counts": counts(index),
    }


def counts(index: Index) -> dict[str, int]:
    """Return how many photos there are by the verdict of the last decision that was carried out."""
    verdicts = index.rows["verdict"][~is_superseded(index.rows) & ~index.rows["failed"]]
    return {verdict.value: int((verdicts == number).sum()) for number, verdict in enumerate(VERDICTS)}


def _groups(rows: NDArray[np.void], keys: NDArray[Any], names: Iterable[str]) -> list[dict[str, Any]]:
    found = []
    for number, name in enumerate(names):
        chosen = rows[keys == number]
        if len(chosen):
            found.append({"name": str(name), "rejected": len(chosen)} | rate(chosen))
    return sorted(found, key=lambda group: -int(str(group["rejected"])))


def _months(rows: NDArray[np.void]) -> list[str]:
    seconds = np.where(rows["taken"] > 0, rows["taken"], rows["made"])
    return [f"{datetime.fromtimestamp(int(each), UTC):%Y-%m}" for each in seconds]


def _numbered(texts: list[str]) -> tuple[NDArray[Any], list[str]]:
    names, numbers = np.unique(np.array(texts, np.str_), return_inverse=True)
    return numbers, [str(name) for name in names]


def _calibration(index: Index, defect: int) -> list[dict[str, Any]]:
    """Return for classes of the probability what it promised and what people answered, where they did.

    Tags count as well as rejects: a tag is right if it was confirmed, false if it was taken out.
    """
    rows = index.rows[deciding_defect(index.rows, index.names.rules) == defect]
    rows = rows[np.isin(rows["verdict"], [VERDICTS.index(Verdict.TAG), VERDICTS.index(Verdict.QUARANTINE)])]
    rows = rows[is_false(rows) | is_right(rows)]
    scores = rows[DEFECTS[defect].value]
    found = []
    for low, high in pairwise(_EDGES):
        inside = (scores >= low) & ((scores < high) | ((scores <= high) & (high == 1.0)))
        if inside.any():
            answers = rate(rows[inside])
            right = answers["answers"] - answers["false"]
            found.append(
                {
                    "from": low,
                    "to": high,
                    "promised": round(float(scores[inside].mean()), 4),
                    "answers": answers["answers"],
                    "right": right,
                    "low": round(1 - answers["high"], 4),
                    "high": round(1 - answers["low"], 4),
                }
            )
    return found
