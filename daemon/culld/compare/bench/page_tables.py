"""The tables of the page, sortable by every column."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, TypeVar

from culld.compare.bench.columns import AT_BEST, AT_HALF, COST, Cell, Column, defect_columns, kind_columns
from culld.compare.bench.results import DefectRow, ModelRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from culld.compare.bench.results import Results

Row = TypeVar("Row", bound=ModelRow | DefectRow)


def tables(results: Results) -> Iterator[str]:
    """Yield the sections with tables: models at 0.5, at their best threshold, by kind, and the defect models."""
    rows = results.models
    yield _section("half", "At the threshold 0.5", "", rows, (*AT_HALF, *COST))
    note = "The threshold with the highest F1 on the calibration scenes, which no model was trained on either."
    yield _section("best", "At the best threshold of other photos", note, rows, AT_BEST)
    note = "IoU over all pixels at the best threshold; for pairs without a change the share of the area that is found."
    yield _section("kinds", "By kind of pair", note, rows, kind_columns(results.pairs))
    if results.defects:
        note = (
            "F1 and AUC of defects in linear light, at each model's own thresholds. A model may go live if no head "
            "loses more than 0.01 F1 on the same photos."
        )
        yield _section("defects", "Defect models", note, results.defects, (*defect_columns(), *COST))


def _section(name: str, title: str, note: str, rows: Sequence[Row], columns: Sequence[Column[Row]]) -> str:
    judged = any(isinstance(row, DefectRow) for row in rows)
    head = _head("model", words=True) + "".join(_head(column.title) for column in columns)
    head += _head("may go live", words=True) if judged else ""
    body = "".join(_row(row, columns) for row in rows)
    meanings = "".join(
        f"<dt>{escape(column.title)}</dt><dd>{escape(column.meaning)}</dd>" for column in columns if column.meaning
    )
    return (
        f'<section aria-labelledby="{name}-title"><h2 id="{name}-title">{escape(title)}</h2>'
        + (f'<p class="note">{escape(note)}</p>' if note else "")
        + f'<div class="wide" tabindex="0" role="region" aria-label="Table: {escape(title)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{_verdicts(rows)}"
        + (f"<details><summary>What the columns are</summary><dl>{meanings}</dl></details>" if meanings else "")
        + "</section>"
    )


def _head(title: str, *, words: bool = False) -> str:
    return f'<th scope="col"{" data-words" if words else ""}><button type="button">{escape(title)}</button></th>'


def _row(row: Row, columns: Sequence[Column[Row]]) -> str:
    note = (row.missing or row.summary) if isinstance(row, ModelRow) else ""
    small = f"<small>{escape(note)}</small>" if note else ""
    name = f'<th scope="row" data-value="{escape(row.name)}">{escape(row.name)}{small}</th>'
    verdict = _verdict(row) if isinstance(row, DefectRow) else ""
    return f"<tr>{name}{''.join(_cell(column.cell(row)) for column in columns)}{verdict}</tr>"


def _cell(cell: Cell) -> str:
    """Return a cell; what stands in brackets is a line of its own."""
    value = "" if cell.value is None else f' data-value="{cell.value:.6g}"'
    text, bracket, interval = cell.text.partition(" (")
    small = f"<small>{escape(interval.removesuffix(')'))}</small>" if bracket else ""
    return f"<td{value}>{escape(text)}{small}</td>"


def _verdict(row: DefectRow) -> str:
    answer = "in service" if row.verdict is None else "yes" if row.verdict.allowed else "no"
    return f'<td data-value="{answer}">{answer}</td>'


def _verdicts(rows: Sequence[ModelRow | DefectRow]) -> str:
    """Return the reasons of all verdicts as a list."""
    judged = [(row.name, row.verdict) for row in rows if isinstance(row, DefectRow) and row.verdict is not None]
    items = "".join(f"<li>{escape(name)}: {escape('; '.join(verdict.reasons))}</li>" for name, verdict in judged)
    return f'<ul class="verdicts">{items}</ul>' if items else ""
