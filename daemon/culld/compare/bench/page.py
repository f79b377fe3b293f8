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
    from culld.compare.bench.figures import PairCounts
    from culld.compare.bench.measure import Example, Measured
    from culld.compare.bench.results import ModelRow, Results

STATIC = Path(__file__).resolve().parent / "static"


def page(results: Results, test: Measured) -> str:
    """Return the HTML of the page; every text that is put into it is escaped."""
    style, script = _static("page.css"), _static("page.js")
    rows = [row for row in results.models if row.name in test.counts]
    pairs = _pairs(test, rows)
    return Template(_static("page.html")).substitute(
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        facts="".join(f"<li>{escape(fact)}</li>" for fact in facts(results)),
        pairs="".join(f'<option value="{number}">{escape(pair["name"])}</option>' for number, pair in enumerate(pairs)),
        models="".join(f'<option value="{number}">{escape(row.name)}</option>' for number, row in enumerate(rows)),
        width=results.pairs.width,
        height=results.pairs.height,
        tables="\n".join(tables(results)),
        data=json_for_html({"models": [row.name for row in rows], "pairs": pairs}),
    )


def json_for_html(value: object) -> str:
    """Return JSON that cannot end the script element in which it stands."""
    text = json.dumps(value, ensure_ascii=True)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _pairs(test: Measured, rows: list[ModelRow]) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    found = []
    for example in test.examples:
        kind = example.pair.kind
        seen[kind] += 1
        found.append(
            {
                "name": f"{kind} {seen[kind]}",
                "first": photo_uri(example.pair.first),
                "second": photo_uri(example.pair.second),
                "outline": outline_uri(example.pair.mask),
                "models": [_found(example, row, test.counts[row.name][example.number]) for row in rows],
            }
        )
    return found


def _found(example: Example, row: ModelRow, counts: PairCounts) -> dict[str, str]:
    """Return the map that a model found in a pair, and what it is worth as one sentence."""
    threshold = round(row.best.threshold * STEPS) if row.best is not None else HALF
    parts = [_worth(counts, step) for step in dict.fromkeys((HALF, threshold))]
    return {"map": heat_uri(example.maps[row.name]), "caption": f"{row.name}: {'; '.join(parts)}."}


def _worth(counts: PairCounts, step: int) -> str:
    iou, area = pair_figures(counts, step)
    found = f"at the threshold {step / STEPS:g} {area * 100:.1f} % of the area is found"
    return f"{found}, nothing is changed" if iou is None else f"{found}, IoU {iou:.3f}"


def _static(name: str) -> str:
    return (STATIC / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
