"""The columns of the bench: title, meaning, value to sort by, and text; the Markdown table and the page share them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from culld.records import NETWORK_DEFECTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from culld.compare.bench.figures import Estimate, Figures
    from culld.compare.bench.results import Cost, DefectRow, ModelRow, SetFacts

Row_contra = TypeVar("Row_contra", contravariant=True)
NONE = "-"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: the number to sort by, None where there is none, and the text."""

    value: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Column(Generic[Row_contra]):
    """A column of numbers: its title, one clause that says what it is, and its cell of a row."""

    title: str
    meaning: str
    cell: Callable[[Row_contra], Cell]


EMPTY = Cell(None, NONE)


def ratio(found: Estimate | None) -> Cell:
    """Return an IoU or F1 with its interval, such as `0.812 (0.79-0.83)`."""
    if found is None or found.value is None or found.low is None or found.high is None:
        return EMPTY
    return Cell(found.value, f"{found.value:.3f} ({found.low:.2f}-{found.high:.2f})")


def share(found: Estimate | None) -> Cell:
    """Return a share of the area with its interval, such as `1.30 % (0.92-1.81)`."""
    if found is None or found.value is None or found.low is None or found.high is None:
        return EMPTY
    return Cell(found.value, f"{found.value * 100:.2f} % ({found.low * 100:.2f}-{found.high * 100:.2f})")


def _of_half(pick: Callable[[Figures], Estimate], show: Callable[[Estimate], Cell]) -> Callable[[ModelRow], Cell]:
    return lambda row: EMPTY if row.half is None else show(pick(row.half))


def _of_best(pick: Callable[[Figures], Estimate], show: Callable[[Estimate], Cell]) -> Callable[[ModelRow], Cell]:
    return lambda row: EMPTY if row.best is None else show(pick(row.best))


def _cost(pick: Callable[[Cost], float], digits: int) -> Callable[[ModelRow | DefectRow], Cell]:
    def cell(row: ModelRow | DefectRow) -> Cell:
        return EMPTY if row.cost is None else Cell(pick(row.cost), f"{pick(row.cost):,.{digits}f}")

    return cell


def _threshold(row: ModelRow) -> Cell:
    return EMPTY if row.best is None else Cell(row.best.threshold, f"{row.best.threshold:.3f}")


def size(row: ModelRow | DefectRow) -> Cell:
    """Return the size of a model's file in MB."""
    return EMPTY if row.size_bytes is None else Cell(row.size_bytes, f"{row.size_bytes / 1e6:.2f}")


AT_HALF: tuple[Column[ModelRow], ...] = (
    Column("IoU", "of the changed area, over all pixels, at the threshold 0.5", _of_half(lambda f: f.iou_micro, ratio)),
    Column("F1", "over all pixels, at the threshold 0.5", _of_half(lambda f: f.f1_micro, ratio)),
    Column("IoU a pair", "mean over the changed pairs, at 0.5", _of_half(lambda f: f.iou_pair, ratio)),
    Column("F1 a pair", "mean over the changed pairs, at 0.5", _of_half(lambda f: f.f1_pair, ratio)),
    Column("false alarm", "area found in unchanged pairs, at 0.5", _of_half(lambda f: f.false_alarm, share)),
    Column("refocused", "area found in refocused pairs, at 0.5", _of_half(lambda f: f.refocused, share)),
)
AT_BEST: tuple[Column[ModelRow], ...] = (
    Column("threshold", "with the highest F1 on the calibration scenes", _threshold),
    Column("IoU, best", "over all pixels, at this threshold", _of_best(lambda f: f.iou_micro, ratio)),
    Column("F1, best", "over all pixels, at this threshold", _of_best(lambda f: f.f1_micro, ratio)),
    Column("IoU a pair, best", "mean over the changed pairs", _of_best(lambda f: f.iou_pair, ratio)),
    Column("F1 a pair, best", "mean over the changed pairs", _of_best(lambda f: f.f1_pair, ratio)),
    Column("false alarm, best", "area found in unchanged pairs", _of_best(lambda f: f.false_alarm, share)),
    Column("refocused, best", "area found in refocused pairs", _of_best(lambda f: f.refocused, share)),
)
COST: tuple[Column[ModelRow | DefectRow], ...] = (
    Column("p50 ms", "half of the runs take no longer, one thread", _cost(lambda c: c.p50_ms, 1)),
    Column("p95 ms", "95 % of the runs take no longer, one thread", _cost(lambda c: c.p95_ms, 1)),
    Column("memory MB", "peak of a fresh process above that of its imports", _cost(lambda c: c.memory_mb, 0)),
    Column("file MB", "size of the model's file", size),
)


def kind_columns(pairs: SetFacts) -> tuple[Column[ModelRow], ...]:
    """Return a column for each kind of pair: IoU, or the area found where nothing is changed, at the best threshold."""

    def column(kind: str) -> Column[ModelRow]:
        show = share if kind in pairs.empty else ratio
        return Column(kind, "", lambda row: EMPTY if row.best is None else show(row.best.kinds.get(kind)))

    return tuple(column(kind) for kind in pairs.kinds)


def defect_columns() -> tuple[Column[DefectRow], ...]:
    """Return the columns of the defect models: F1, AUC and calibration error of each head."""
    heads = [head.value for head in NETWORK_DEFECTS]
    return (
        *(Column(f"F1 {head}", "defects in linear light, at the threshold of `tag`", _f1(head)) for head in heads),
        *(Column(f"AUC {head}", "area under the ROC curve", _auc(head)) for head in heads),
        *(Column(f"ECE {head}", "expected calibration error at the stated prevalence", _ece(head)) for head in heads),
    )


def _f1(head: str) -> Callable[[DefectRow], Cell]:
    return lambda row: _number(row.heads[head].f1)


def _auc(head: str) -> Callable[[DefectRow], Cell]:
    return lambda row: _number(row.heads[head].auc)


def _ece(head: str) -> Callable[[DefectRow], Cell]:
    return lambda row: _number(row.heads[head].ece)


def _number(value: float | None) -> Cell:
    return EMPTY if value is None else Cell(value, f"{value:.4f}")
