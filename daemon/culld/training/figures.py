"""From answers to figures: what goes on the card and into the table; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from culld.records import Defect
from culld.training import metrics
from culld.training.defects.dataset import HARD_TAGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culld.training.bench import Predictions

    Limits = Sequence[float | None]

_HALF = (0.5, 0.5, 0.5)


def evaluation_figures(
    answers: Mapping[str, Predictions],
    who: str,
    tag: Sequence[float],
    reject: Limits,
    prevalence: Sequence[float] | None,
) -> dict[str, Any]:
    """All figures of one contender at its thresholds.

    `prevalence` (3) is that of the calibration error; None for somebody whose numbers are no probabilities.
    """
    drawn = [one for name, one in answers.items() if name.startswith("seed ")]
    linear, ways, strong = answers["linear"], answers["other ways"], answers["strong blur"]
    # In the seed's protocol and in the linear one the clean pictures are the same: the scenes as they are.
    clean = linear.groups == "clean"
    parts = [metrics.summary(one.scores[who], one.labels, _HALF) for one in drawn]
    found = {
        "scenes": int(clean.sum()),
        "seed_protocol_at_0.5": _mean(parts),
        "seed_protocol_spread": _spread(parts),
        "linear_protocol_at_tag": metrics.summary(linear.scores[who], linear.labels, tag),
        "clean": _kinds(linear.scores[who][clean], _only(linear.tags, clean), tag, reject),
        "clean_other_ways": _kinds(ways.scores[who], ways.tags, tag, reject),
        "strong_blur_found": _strong(strong, who, tag[0], reject[0]),
    }
    if prevalence is not None:
        found["expected_calibration_error"] = {
            **_calibration(linear, who, prevalence),
            "prevalence": {defect.value: share for defect, share in zip(Defect, prevalence, strict=True)},
        }
        found["expected_calibration_error_as_drawn"] = _calibration(linear, who, None)
    if "real" in answers:
        found["real_exposure_at_tag"] = _real(answers["real"], who, tag)
    return found


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


def _calibration(answers: Predictions, who: str, prevalence: Sequence[float] | None) -> dict[str, float]:
    """The calibration error of each head at these shares of defects; None for those that the protocol drew."""
    scores, truth = answers.scores[who], answers.labels > 0.5
    found = {}
    for head, defect in enumerate(Defect):
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


def _strong(answers: Predictions, who: str, tag: float, reject: float | None) -> dict[str, Any]:
    """Which share of strongly blurred pictures reaches the thresholds of blur, in all and for each way of blurring."""
    blur = answers.scores[who][:, 0]
    ways = {"all": np.full(len(blur), True)}
    ways |= {str(name): answers.groups == name for name in sorted(set(answers.groups))}
    return {
        name: {
            "pictures": int(rows.sum()),
            "tagged": round(float((blur[rows] >= tag).mean()), 4),
            **({} if reject is None else {"rejected": round(float((blur[rows] >= reject).mean()), 4)}),
        }
        for name, rows in ways.items()
    }


def _real(answers: Predictions, who: str, tag: Sequence[float]) -> dict[str, Any]:
    """How many really mis-exposed photos are found, how many of the mild ones are called so, and the AUC."""
    scores = answers.scores[who]
    found: dict[str, Any] = {
        str(label): {
            "pictures": int((answers.groups == label).sum()),
            "tagged": metrics.flagged(scores[answers.groups == label], tag),
        }
        for label in sorted(set(answers.groups))
    }
    for head, defect in enumerate(Defect):
        if (answers.labels[:, head] > 0.5).any():
            found[f"auc_{defect.value}"] = round(metrics.auc(scores[:, head], answers.labels[:, head] > 0.5), 4)
    return found
