"""The defect models as rows of the bench, and the rule that says when one may replace the model in service."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from culld.compare.bench.results import DefectRow, HeadFigures, Verdict
from culld.errors import SystemFaultError
from culld.inference.card import CARD_FILE, read_card
from culld.records import NETWORK_DEFECTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MAX_LOSS: Final = 0.01
"""How much F1 a head may lose when a model replaces another one."""
FIGURES_FILE: Final = "figures.json"

_ROUNDING = 1e-9  # 0.95 - 0.94 is a little more than 0.01 for a computer


def may_go_live(candidate: DefectRow, current: DefectRow) -> Verdict:
    """Return whether a model may replace the current one: no head loses more than MAX_LOSS F1, on the same photos."""
    if candidate.photos != current.photos:
        reason = (
            f"{candidate.name} and {current.name} were measured on different photos: measure both with "
            "`culld model evaluate MODEL --against CURRENT`"
        )
        return Verdict(allowed=False, reasons=(reason,))
    missing = [head for head in current.heads if head not in candidate.heads]
    if missing:
        return Verdict(allowed=False, reasons=(f"{candidate.name} has no head for {' and '.join(missing)}",))
    losses = {head: was.f1 - candidate.heads[head].f1 for head, was in current.heads.items()}
    lost = {head: loss for head, loss in losses.items() if loss > MAX_LOSS + _ROUNDING}
    if lost:
        return Verdict(allowed=False, reasons=tuple(_loss(head, candidate, current) for head in lost))
    worst = max(losses, key=lambda head: losses[head])
    return Verdict(allowed=True, reasons=(f"no head loses more than {MAX_LOSS} F1; {_change(worst, losses[worst])}",))


def row_of(name: str, figures: Mapping[str, Any], photos: str) -> DefectRow:
    """Return the row of a model from the figures that `culld model evaluate` writes about it.

    F1 and AUC are those of defects in linear light at the model's own thresholds. Raises SystemFaultError for figures
    without them.
    """
    try:
        measured = figures["linear_protocol_at_tag"]
        ece = figures.get("expected_calibration_error", {})
        heads = {
            head.value: HeadFigures(
                float(measured[head]["f1"]),
                float(measured[head]["auc"]),
                None if head not in ece else float(ece[head]),
            )
            for head in NETWORK_DEFECTS
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SystemFaultError(f"the figures of {name} lack F1 or AUC ({error}): run `culld model evaluate`") from error
    return DefectRow(name, heads, photos)


def read_rows(folder: Path) -> tuple[DefectRow, ...]:
    """Return the rows in the figures of a model folder, its own model first; none without figures.

    All rows of one file have the same photos. Raises SystemFaultError for a file that holds no figures.
    """
    path = folder / FIGURES_FILE
    if not path.is_file():
        return ()
    try:
        report = json.loads(path.read_text("utf-8"))
        contenders = dict(report["contenders"])
        photos = str(report.get("photos") or f"those of {folder.name}/{FIGURES_FILE}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SystemFaultError(f"{path} holds no figures ({error}): run `culld model evaluate {folder}`") from error
    return tuple(row_of(name, figures, photos) for name, figures in contenders.items())


def defect_rows(current: Path, others: Sequence[Path]) -> tuple[DefectRow, ...]:
    """Return the rows of the model in service, of what stands beside it in its figures, and of the other folders.

    Each has the verdict on it; without figures of the model in service there are no rows. Raises SystemFaultError for
    figures that are not those of the model in the folder.
    """
    name, rows = read_card(current).id, {row.name: row for row in read_rows(current)}
    if not rows:
        return ()
    if name not in rows:
        raise SystemFaultError(f"{current / FIGURES_FILE} is not of {name}: run `culld model evaluate {current}`")
    for folder in others:
        for row in read_rows(folder):
            rows.setdefault(row.name, row)
    return tuple(
        row if row.name == name else replace(row, verdict=may_go_live(row, rows[name])) for row in rows.values()
    )


def defect_folders(models: Path) -> dict[str, Path]:
    """Return the folders below `models` that hold a defect network, by the id of its card."""
    found = {}
    for folder in sorted(card.parent for card in models.glob(f"*/{CARD_FILE}")):
        card = read_card(folder)
        if card.labels == NETWORK_DEFECTS and (folder / card.file).is_file():
            found[card.id] = folder
    return found


def _loss(head: str, candidate: DefectRow, current: DefectRow) -> str:
    return (
        f"{head} loses {current.heads[head].f1 - candidate.heads[head].f1:.4f} F1 "
        f"({current.heads[head].f1:.4f} to {candidate.heads[head].f1:.4f}), more than {MAX_LOSS}"
    )


def _change(head: str, loss: float) -> str:
    return f"{head} loses {loss:.4f}" if loss > 0 else "none loses any"
