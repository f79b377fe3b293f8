"""Plots of curves and training logs; the only module that imports matplotlib, inside the functions that draw."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.records import NETWORK_DEFECTS
from culld.training.metrics import auc, precision_recall, roc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.training.report import Predictions

    Tags = Mapping[str, Sequence[float]]
    Contenders = Mapping[str, Mapping[str, Predictions]]

_HALF = (0.5, 0.5, 0.5)
_PR_AXES = {"xlabel": "recall", "ylabel": "precision"}
_ROC_AXES = {"xlabel": "wrongly flagged", "ylabel": "found"}
_SHOWN = {"kadis": "KADIS protocol", "linear": "linear light", "real": "really mis-exposed photos"}


def draw_curves(contenders: Contenders, tags: Tags, file: Path) -> None:
    """Draw precision-recall and ROC curves for each defect (columns) and protocol (rows) as PNG.

    `contenders` holds the predictions by protocol of each contender. Each contender has one line, with a dot at its
    thresholds of `tags` (0.5 in the KADIS protocol).
    """
    plt = _pyplot()
    rows = {name: words for name, words in _SHOWN.items() if _found(contenders, name)}
    figure, axes = plt.subplots(2 * len(rows), 3, figsize=(11, 6 * len(rows)), squeeze=False, layout="constrained")
    for row, (name, words) in enumerate(rows.items()):
        found = _found(contenders, name)
        at = dict.fromkeys(tags, _HALF) if name == "kadis" else tags
        for head, defect in enumerate(NETWORK_DEFECTS):
            for axis, roc_curve in zip(axes[2 * row : 2 * row + 2, head], (False, True), strict=True):
                axis.set(title=f"{defect.value}, {words}", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
                axis.set(**_ROC_AXES if roc_curve else _PR_AXES)
                axis.grid(visible=True, alpha=0.3)
                _draw_head(axis, found, head, at, roc_curve=roc_curve)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    figure.savefig(file, dpi=80, metadata={"Software": None})
    plt.close(figure)


def draw_training(log: Path, file: Path) -> None:
    """Draw loss, cross-entropy of each head and AUC over the epochs of a training log as PNG."""
    plt = _pyplot()
    with log.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for axis, names in ((left, ["loss", *(f"bce_{defect}" for defect in NETWORK_DEFECTS)]), (right, ["auc"])):
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
    """Return matplotlib's pyplot with the backend that draws into files only."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    return plt


def draw_maps(rows: Mapping[str, Mapping[str, NDArray[np.float32]]], file: Path) -> None:
    """Draw heat maps as PNG, a row for each name, in it a map for each title; each map has its own scale, from 0."""
    plt = _pyplot()
    columns = max(map(len, rows.values()))
    size = (2.2 * columns, 1.9 * len(rows))
    figure, axes = plt.subplots(len(rows), columns, figsize=size, squeeze=False, layout="constrained")
    for cells, (name, maps) in zip(axes, rows.items(), strict=True):
        cells[0].set_ylabel(name)
        for cell, (title, values) in zip(cells, maps.items(), strict=True):
            cell.imshow(np.maximum(values, 0), cmap="Oranges", vmin=0)
            cell.set(xticks=[], yticks=[], title=title)
    figure.savefig(file, dpi=80, metadata={"Software": None})
    plt.close(figure)


def _found(contenders: Contenders, name: str) -> dict[str, Predictions]:
    """Return the first predictions of each contender in the protocol whose name begins with `name`."""
    return {
        contender: found
        for contender, predictions in contenders.items()
        for found in [each for key, each in predictions.items() if key.split()[0] == name][:1]
    }


def _draw_head(axis: Any, found: Mapping[str, Predictions], head: int, tags: Tags, *, roc_curve: bool) -> None:
    truth = next(iter(found.values())).labels[:, head] > 0.5
    if not truth.any():
        axis.text(0.5, 0.5, "no such photos here", ha="center")
        return
    areas = []
    for name, predictions in found.items():
        scores = predictions.scores
        flagged = scores[:, head] >= tags[name][head]
        recall, precision = flagged[truth].mean(), truth[flagged].mean() if flagged.any() else 1.0
        curve, dot = (
            (roc(scores[:, head], truth), (flagged[~truth].mean(), recall))
            if roc_curve
            else (precision_recall(scores[:, head], truth), (recall, precision))
        )
        (line,) = axis.plot(*curve, label=name, linewidth=1.4)
        axis.plot(*dot, "o", color=line.get_color(), markersize=5)
        areas.append((f"{auc(scores[:, head], truth):.3f}", line.get_color()))
    for index, (area, colour) in enumerate(reversed(areas) if roc_curve else ()):
        axis.text(0.98, 0.03 + 0.07 * index, f"AUC {area}", color=colour, ha="right", fontsize=7)
    if not roc_curve:
        axis.axhline(float(np.mean(truth)), color="grey", linestyle=":", linewidth=1)
