"""The answer to a request for the index: columns of numbers as base64, and the texts that they stand for."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.app.review.columns import STATES, is_superseded
from culld.records import Defect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from culld.app.review.index import Index

    Columns = NDArray[np.void] | Mapping[str, NDArray[Any]]
    from culld.records import Policy

_STEPS = 254
_UNKNOWN = 255
_PLAIN: Final = ("id", "taken", "verdict", "state", "folder", "camera", "burst")


@dataclass(frozen=True, slots=True)
class IndexRequest:
    """Which rows are asked for: also kept photos, only those after a change, at most `limit` of them (None: all)."""

    kept: bool = False
    since: int | None = None
    limit: int | None = None


def index_answer(index: Index, request: IndexRequest, policy: Policy) -> dict[str, Any]:
    """Return the answer; `policy` gives the thresholds of the column `tagged`.

    With `since` it holds only the rows that changed after that change, and in `gone` the numbers of those that the
    index no longer lists; `full` is true if the changes since then are not known, and the answer holds all rows.
    """
    since = request.since if request.since is not None and request.since >= index.first_change else None
    if since is None:
        gone, total = [], index.count_shown(kept=request.kept)
        rows = index.shown(kept=request.kept, limit=request.limit)
    else:
        rows = index.changed(kept=request.kept, since=since)
        gone = rows["id"][is_superseded(rows)].tolist()
        rows = rows[~is_superseded(rows)]
        total = len(rows)
        rows = rows[: request.limit]
    scores = {defect.value: _eighth_bits(rows[defect.value]) for defect in Defect}
    columns = {name: rows[name] for name in _PLAIN} | scores | {"tagged": tagged_bits(rows, policy)}
    return {
        "change": index.change,
        "policy": policy.digest,
        "full": since is None,
        "total": total,
        "gone": gone,
        "states": list(STATES),
        "folders": index.names.folders.texts,
        "cameras": index.names.cameras.texts,
        "columns": {name: _base64(column) for name, column in columns.items()},
    }


def tagged_bits(rows: Columns, policy: Policy) -> NDArray[np.uint8]:
    """Return the defects at or above their tag threshold as bits: 0 blur, 1 under, 2 over, 3 focus."""
    bits = np.zeros(len(rows["blur"]), np.uint8)
    for number, defect in enumerate(Defect):
        bits |= (reaching(rows, defect, policy.of(defect).tag, policy)).astype(np.uint8) << number
    return bits


def reaching(rows: Columns, defect: Defect, limit: float | None, policy: Policy) -> NDArray[np.bool_]:
    """Return which rows reach a threshold of a defect, as `stages.decide.thresholds` decides it for one photo."""
    if limit is None:
        return np.zeros(len(rows["blur"]), np.bool_)
    found: NDArray[np.bool_] = rows[defect.value] >= limit
    for network in (Defect.BLUR, Defect.UNDER, Defect.OVER):
        if network is not defect:
            found &= ~np.isnan(rows[network.value])
    night = policy.protect.night_below
    if defect is Defect.UNDER and night is not None:
        found &= ~(rows["light"] < night)
    return found


def _eighth_bits(scores: NDArray[np.float64]) -> NDArray[np.uint8]:
    known = np.where(np.isnan(scores), 0, scores).clip(0, 1)
    return np.where(np.isnan(scores), _UNKNOWN, np.rint(_STEPS * known)).astype(np.uint8)


def _base64(column: NDArray[np.generic]) -> str:
    return base64.b64encode(np.ascontiguousarray(column).tobytes()).decode()
