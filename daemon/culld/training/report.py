"""Figures of a model from its predictions, for its card and for the tables of results; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.records import NETWORK_DEFECTS
from culld.training import metrics
from culld.training.dataset import HARD_TAGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Limits = Sequence[float | None]

_HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Predictions:
    """The scores of the pictures of one protocol, beside their labels.

    `labels` (n, 3) of 0 and 1; `groups` (n) names of the distortion; `tags` the tags of each picture's scene; `scores`
    (n, 3) probabilities.
    """

    labels: NDArray[np.float32]
    groups: NDArray[np.str_]
    tags: tuple[frozenset[str], ...]
    scores: NDArray[np.float32]


def evaluation_figures(
    predictions: Mapping[str, Predictions], tag: Sequence[float], reject: Limits, prevalence: Sequence[float] | None
) -> dict[str, Any]:
    """Return all figures at these thresholds, out of the predictions by protocol.

    `prevalence` (3) is that of the calibration error; None where the scores are no probabilities.
    """
    drawn = [one for name, one in predictions.items() if name.startswith("kadis ")]
    linear, ways, strong = predictions["linear"], predictions["other ways"], predictions["strong blur"]
    # In the KADIS protocol and in the linear one the clean pictures are the same: the scenes as they are.
    clean = linear.groups == "clean"
    parts = [metrics.summary(one.scores, one.labels, _HALF) for one in drawn]
    found = {
        "scenes": int(clean.sum()),
        "seed_protocol_at_0.5": _mean(parts),
        "seed_protocol_spread": _spread(parts),
        "linear_protocol_at_tag": metrics.summary(linear.scores, linear.labels, tag),
        "clean": _kinds(linear.scores[clean], _only(linear.tags, clean), tag, reject),
        "clean_other_ways": _kinds(ways.scores, ways.tags, tag, reject),
        "strong_blur_found": _strong(strong, tag[0], reject[0]),
    }
    if prevalence is not None:
        found["expected_calibration_error"] = {
            **_calibration(linear, prevalence),
            "prevalence": {defect.value: share for defect, share in zip(NETWORK_DEFECTS, prevalence, strict=True)},
        }
        found["expected_calibration_error_as_drawn"] = _calibration(linear, None)
    if "real" in predictions:
        found["real_exposure_at_tag"] = _real(predictions["real"], tag)
    return found


def evaluation_report(
    model: str,
    contenders: Mapping[str, Mapping[str, Any]],
    notes: Mapping[str, str] | None = None,
    missing: Mapping[str, str] | None = None,
    photos: str = "",
) -> dict[str, Any]:
    """Return what `figures.json` holds.

    `model` is the card's id; `contenders` holds figures by name, the model first; `notes` a sentence by name; `missing`
    why a contender did not run, by name; `photos` the digest of the photos, if it is known.
    """
    known = {"photos": photos} if photos else {}
    return {"model": model, **known, "notes": notes or {}, "missing": missing or {}, "contenders": contenders}


def report_text(report: Mapping[str, Any]) -> str:
    """Return a report as the text of `figures.json`."""
    return json.dumps(report, indent=1, ensure_ascii=False) + "\n"


def _only(tags: Sequence[frozenset[str]], rows: NDArray[np.bool_]) -> list[frozenset[str]]:
    return [each for each, chosen in zip(tags, rows, strict=True) if chosen]


def _mean(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The mean of each figure over the draws; whole numbers are summed up."""
    found: dict[str, Any] = {"draws": len(parts)}
    for key, first in parts[0].items():
        values = [part[key] for part in parts]
        if isinstance(first, dict):
            found[key] = {name: value for name, value in _mean(values).items() if name != "draws"}
        else:
            found[key] = sum(values) if isinstance(first, int) else round(float(np.mean(values)), 4)
    return found


def _spread(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The standard deviation of each share over the draws."""
    found: dict[str, Any] = {}
    for key, first in parts[0].items():
        values = [part[key] for part in parts]
        if isinstance(first, dict):
            found[key] = _spread(values)
        elif isinstance(first, float):
            found[key] = round(float(np.std(values, ddof=1)), 4) if len(values) > 1 else 0.0
    return found


def _calibration(predictions: Predictions, prevalence: Sequence[float] | None) -> dict[str, float]:
    """The calibration error of each head at these shares of defects; None for those that the protocol drew."""
    scores, truth = predictions.scores, predictions.labels > 0.5
    found = {}
    for head, defect in enumerate(NETWORK_DEFECTS):
        share = float(truth[:, head].mean()) if prevalence is None else prevalence[head]
        found[defect.value] = round(metrics.calibration_error(scores[:, head], truth[:, head], share), 4)
    return found


def _kinds(
    scores: NDArray[np.float32], tags: Sequence[frozenset[str]], tag: Sequence[float], reject: Limits
) -> dict[str, Any]:
    """False flags on clean photos, all of them, the ordinary ones and each hard kind; rejects if there may be any."""
    hard = np.array([not each.isdisjoint(HARD_TAGS) for each in tags])
    kinds = {"all": np.ones(len(tags), bool), "ordinary": ~hard}
    kinds |= {kind: np.array([kind in each for each in tags]) for kind in HARD_TAGS}
    return {
        kind: {
            "pictures": int(rows.sum()),
            "tagged": metrics.flagged(scores[rows], tag),
            **(
                {"rejected": metrics.flagged(scores[rows], reject)}
                if any(limit is not None for limit in reject)
                else {}
            ),
        }
        for kind, rows in kinds.items()
        if rows.any()
    }


def _strong(predictions: Predictions, tag: float, reject: float | None) -> dict[str, Any]:
    """Which share of strongly blurred pictures reaches the thresholds of blur, in all and for each way of blurring."""
    blur = predictions.scores[:, 0]
    ways = {"all": np.full(len(blur), True)}
    ways |= {str(name): predictions.groups == name for name in sorted(set(predictions.groups))}
    return {
        name: {
            "pictures": int(rows.sum()),
            "tagged": round(float((blur[rows] >= tag).mean()), 4),
            **({} if reject is None else {"rejected": round(float((blur[rows] >= reject).mean()), 4)}),
        }
        for name, rows in ways.items()
    }


def _real(predictions: Predictions, tag: Sequence[float]) -> dict[str, Any]:
    """How many really mis-exposed photos are found, how many of the mild ones are called so, and the AUC."""
    scores = predictions.scores
    found: dict[str, Any] = {
        str(label): {
            "pictures": int((predictions.groups == label).sum()),
            "tagged": metrics.flagged(scores[predictions.groups == label], tag),
        }
        for label in sorted(set(predictions.groups))
    }
    for head, defect in enumerate(NETWORK_DEFECTS):
        if (predictions.labels[:, head] > 0.5).any():
            found[f"auc_{defect.value}"] = round(metrics.auc(scores[:, head], predictions.labels[:, head] > 0.5), 4)
    return found
