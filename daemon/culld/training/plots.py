"""Pictures for people; the only module that imports matplotlib, and only when something is drawn."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.records import Defect
from culld.training.metrics import auc, precision_recall, roc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from culld.training.bench import Predictions

    Tags = Mapping[str, Sequence[float]]

_HALF = (0.5, 0.5, 0.5)
_PR_AXES = {"xlabel": "recall", "ylabel": "precision"}
_ROC_AXES = {"xlabel": "wrongly flagged", "ylabel": "found"}
_SHOWN = {"seed": "seed's protocol", "linear": "linear light", "real": "really mis-exposed photos"}


def draw_curves(answers: Mapping[str, Predictions], tags: Tags, file: Path) -> None:
    """Precision over recall, and found over wrongly flagged, for each defect (columns) and protocol (rows), as PNG.

    One line for each contender, with a dot where its `tags` stand (a half in the seed's protocol).
    """
    plt = _pyplot()
    rows = {name: words for name, words in _SHOWN.items() if _found(answers, name)}
    figure, axes = plt.subplots(2 * len(rows), 3, figsize=(11, 6 * len(rows)), squeeze=False, layout="constrained")
    for row, (name, words) in enumerate(rows.items()):
        found = _found(answers, name)
        at = dict.fromkeys(tags, _HALF) if name == "seed" else tags
        for head, defect in enumerate(Defect):
            for axis, roc_curve in zip(axes[2 * row : 2 * row + 2, head], (False, True), strict=True):
                axis.set(title=f"{defect.value}, {words}", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
                axis.set(**_ROC_AXES if roc_curve else _PR_AXES)
                axis.grid(visible=True, alpha=0.3)
                _draw_head(axis, found, head, at, roc_curve=roc_curve)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    figure.savefig(file, dpi=80, metadata={"Software": None})
    plt.close(figure)


def draw_training(log: Path, file: Path) -> None:
    """Loss, cross-entropy of each head and AUC over the epochs of a training log, training and validation, as PNG."""
    plt = _pyplot()
    with log.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for axis, names in ((left, ["loss", *(f"bce_{defect}" for defect in Defect)]), (right, ["auc"])):
        for name in names:
            for prefix, style in (("", "-"), ("val_", "--")):
                values = [float(row[prefix + name]) for row in rows if row.get(prefix + name)]
                axis.plot(range(1, len(values) + 1), values, style, label=prefix + name, linewidth=1.2)
        axis.set(xlabel="epoch", title="AUC" if names == ["auc"] else "loss")
        axis.grid(visible=True, alpha=0.3)
        axis.legend(fontsize=6)
    figure.savefig(file, dpi=100, metadata={"Software": None})
    plt.close(figure)


def _pyplot() -> Any:
    """The plotting functions, drawing into files only."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    return plt


def _found(answers: Mapping[str, Predictions], name: str) -> Predictions | None:
    """The first answers whose name begins so."""
    return next((found for key, found in answers.items() if key.split()[0] == name), None)


def _draw_head(axis: Any, answers: Predictions | None, head: int, tags: Tags, *, roc_curve: bool) -> None:
    if answers is None or not (answers.labels[:, head] > 0.5).any():
        axis.text(0.5, 0.5, "no such photos here", ha="center")
        return
    truth = answers.labels[:, head] > 0.5
    areas = []
    for name, scores in answers.scores.items():
        flagged = scores[:, head] >= tags[name][head]
        found, right = flagged[truth].mean(), truth[flagged].mean() if flagged.any() else 1.0
        curve, dot = (
            (roc(scores[:, head], truth), (flagged[~truth].mean(), found))
            if roc_curve
            else (precision_recall(scores[:, head], truth), (found, right))
        )
        (line,) = axis.plot(*curve, label=name, linewidth=1.4)
        axis.plot(*dot, "o", color=line.get_color(), markersize=5)
        areas.append((f"{auc(scores[:, head], truth):.3f}", line.get_color()))
    for index, (area, colour) in enumerate(reversed(areas) if roc_curve else ()):
        axis.text(0.98, 0.03 + 0.07 * index, f"AUC {area}", color=colour, ha="right", fontsize=7)
    if not roc_curve:
        axis.axhline(float(np.mean(truth)), color="grey", linestyle=":", linewidth=1)
