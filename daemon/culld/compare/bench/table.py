"""The Markdown tables of the bench: table.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from culld.compare.bench.columns import AT_BEST, AT_HALF, COST, Column, defect_columns, kind_columns
from culld.compare.bench.probe import WARM_UP
from culld.compare.bench.results import DefectRow, ModelRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from culld.compare.bench.results import Results


Row = TypeVar("Row", bound=ModelRow | DefectRow)


def markdown(results: Results) -> str:
    """Return the text of table.md."""
    parts = ["# Bench of the models of change\n", "\n\n".join(facts(results)), *_change(results), *_defects(results)]
    return "\n".join(parts).rstrip() + "\n"


def facts(results: Results) -> tuple[str, ...]:
    """Return what was measured, on what and how, one sentence each."""
    pairs, machine = results.pairs, results.machine
    kinds = ", ".join(f"{number} {kind}" for kind, number in pairs.kinds.items())
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    drawn = (
        f"Frozen set {pairs.digest}: {pairs.pairs} pairs of {pairs.width}x{pairs.height} pixels, drawn from "
        f"{pairs.scenes} photos that no model was trained on ({kinds})."
    )
    threshold = (
        f"The best threshold is that of {pairs.calibration} pairs of other photos; in brackets stand 95 % intervals of "
        "a bootstrap over photos."
    )
    cost = (
        f"Time and memory: {machine.cpu}, one thread, batch 1, after {WARM_UP} runs to warm up; culld {results.culld}, "
        f"{versions}."
    )
    return (drawn, threshold, cost, *_alignment(results))


def _alignment(results: Results) -> Iterable[str]:
    if results.alignment is not None and results.alignment_size is not None:
        width, height = results.alignment_size
        yield (
            f"The times are without alignment, which two photos need first: {results.alignment.p50_ms:.0f} ms (p95 "
            f"{results.alignment.p95_ms:.0f} ms) and {results.alignment.memory_mb:.0f} MB at {width}x{height} pixels."
        )


def _change(results: Results) -> Iterable[str]:
    rows = results.models
    yield "\n## At the threshold 0.5\n"
    yield _table(rows, AT_HALF)
    yield "\n## At the best threshold of other photos\n"
    yield _table(rows, AT_BEST)
    yield "\n## By kind of pair, at the best threshold\n"
    yield "IoU over all pixels; for pairs without a change the area that is found.\n"
    yield _table(rows, kind_columns(results.pairs))
    yield "\n## Time, memory, size\n"
    yield _table(rows, COST)


def _defects(results: Results) -> Iterable[str]:
    if not results.defects:
        return
    yield "\n## Defect models\n"
    yield "F1 and AUC of defects in linear light, at each model's own thresholds; ECE at its recipe's prevalence.\n"
    yield _table(results.defects, [*defect_columns(), *COST])
    yield "\n## May it replace the model in service?\n"
    yield "Only if no head loses more than 0.01 F1 on the same photos.\n"
    for row in results.defects:
        if row.verdict is None:
            yield f"- {cell(row.name)}: in service"
        else:
            answer = "yes" if row.verdict.allowed else "no"
            yield f"- {cell(row.name)}: {answer}, {'; '.join(map(cell, row.verdict.reasons))}"


def _table(rows: Sequence[Row], columns: Sequence[Column[Row]]) -> str:
    head = ["", *(column.title for column in columns)]
    body = [[named(row), *(column.cell(row).text for column in columns)] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *body))


def named(row: ModelRow | DefectRow) -> str:
    """Return the name of a row for the first column, with the reason where there are no figures."""
    reason = row.missing if isinstance(row, ModelRow) else ""
    return f"{cell(row.name)} ({cell(reason)})" if reason else cell(row.name)


def cell(text: str) -> str:
    """Return a text that cannot end a cell or a line of a Markdown table, or begin HTML."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
