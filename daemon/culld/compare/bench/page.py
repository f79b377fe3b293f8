"""The page of the bench: one static HTML file that needs no server and no network."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from culld.compare.bench.figures import HALF, STEPS, pair_figures
from culld.compare.bench.page_pictures import heat_uri, outline_uri, photo_uri
from culld.compare.bench.page_tables import tables
from culld.compare.bench.table import facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culld.compare.bench.figures import PairCounts
    from culld.compare.bench.measure import Example, Measured
    from culld.compare.bench.results import ModelRow, Results

STATIC = Path(__file__).resolve().parent / "static"


def page(results: Results, test: Measured) -> str:
    """Return the HTML of the page; every text that is put into it is escaped."""
    style, script = _static("page.css"), _static("page.js")
    rows = [row for row in results.models if row.name in test.counts]
    examples = sorted(test.examples, key=lambda each: each.pair.kind in results.pairs.empty)  # changes first
    pairs = _pairs(examples, test, rows)
    return Template(_static("page.html")).substitute(
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        facts="".join(f"<li>{escape(fact)}</li>" for fact in facts(results)),
        pairs="".join(f'<option value="{number}">{escape(pair["name"])}</option>' for number, pair in enumerate(pairs)),
        models=_models(rows),
        width=results.pairs.width,
        height=results.pairs.height,
        tables="\n".join(tables(results)),
        data=json_for_html({"models": [row.name for row in rows], "pairs": pairs}),
    )


def json_for_html(value: object) -> str:
    """Return JSON that cannot end the script element in which it stands."""
    text = json.dumps(value, ensure_ascii=True)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _models(rows: Sequence[ModelRow]) -> str:
    """Return the options of the picker, the model with the highest IoU chosen."""
    best = max(range(len(rows)), key=lambda number: _iou(rows[number]), default=0)
    chosen = ["", " selected"]
    return "".join(
        f'<option value="{number}"{chosen[number == best]}>{escape(row.name)}</option>'
        for number, row in enumerate(rows)
    )


def _iou(row: ModelRow) -> float:
    return -1.0 if row.best is None or row.best.iou_micro.value is None else row.best.iou_micro.value


def _pairs(examples: Sequence[Example], test: Measured, rows: Sequence[ModelRow]) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    found = []
    for example in examples:
        pair = example.pair
        seen[pair.kind] += 1
        found.append(
            {
                "name": f"{pair.kind} {seen[pair.kind]}",
                "first": photo_uri(pair.first),
                "second": photo_uri(pair.second),
                "outline": outline_uri(pair.mask),
                "changed": f"{pair.mask.mean() * 100:.1f} % of the area is changed.",
                "models": [_found(example, row, test.counts[row.name][example.number]) for row in rows],
            }
        )
    return found


def _found(example: Example, row: ModelRow, counts: PairCounts) -> dict[str, Any]:
    """Return the map that a model found in a pair, and what it is worth, as a sentence and as cells of a table."""
    best = HALF if row.best is None else round(row.best.threshold * STEPS)
    (half_iou, half_area), (best_iou, best_area) = pair_figures(counts, HALF), pair_figures(counts, best)
    caption = (
        f"{row.name}: {_worth(half_iou, half_area)} at the threshold 0.5; {_worth(best_iou, best_area)} at its best "
        f"threshold, {best / STEPS:g}."
    )
    cells = [*("-" if iou is None else f"{iou:.3f}" for iou in (half_iou, best_iou)), f"{best_area * 100:.1f} %"]
    return {"map": heat_uri(example.maps[row.name]), "caption": caption, "cells": cells}


def _worth(iou: float | None, area: float) -> str:
    return f"{area * 100:.1f} % of the area found, wrongly" if iou is None else f"IoU {iou:.3f}"


def _static(name: str) -> str:
    return (STATIC / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
