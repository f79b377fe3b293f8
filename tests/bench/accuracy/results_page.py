"""The results of a model and its peers as one Markdown page; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from culld.app.review.intervals import wilson
from culld.records import NETWORK_DEFECTS, Defect
from culld.training.dataset import HARD_TAGS

Figures = Mapping[str, Any]

_KINDS = {"ordinary": "ordinary", "night_lowkey": "night, low key", "highkey": "high key", "bokeh": "bokeh"}
assert set(HARD_TAGS) < set(_KINDS)  # a new hard tag needs a name here
_FLAGS = (*(defect.value for defect in NETWORK_DEFECTS), "any")
_REAL = {
    "under": ("under", "under found"),
    "over": ("over", "over found"),
    "pair_darker": ("under", "mild darker flagged"),
    "pair_brighter": ("over", "mild brighter flagged"),
}


def results_page(report: Mapping[str, Any]) -> str:
    """Return the whole page of an `evaluation_report`; shares are rounded to a tenth of a percent."""
    measured, missing = report["contenders"], report["missing"]
    ours = next(iter(measured.values()))
    parts = [
        f"# Results of `{report['model']}`\n",
        f"On {ours['scenes']} photographs outside all training sets, the same pixels for each (see `figures.json`).\n",
        *(f"{name}: {note}.\n" for name, note in report["notes"].items()),
        *_protocol("KADIS protocol, threshold 0.5", "seed_protocol_at_0.5", measured, missing),
        f"Means of {ours['seed_protocol_at_0.5']['draws']} draws of the distortions, ± their standard deviation.\n",
        *_protocol("Defects in linear light, at the thresholds of `tag`", "linear_protocol_at_tag", measured, missing),
        *_false_flags("Clean photos tagged", "clean", "tagged", measured),
        *_false_flags("Clean photos past `reject`", "clean", "rejected", measured),
        *_false_flags(
            "Clean photos tagged after being cropped, sharpened and saved", "clean_other_ways", "tagged", measured
        ),
        *_false_flags("The same past `reject`", "clean_other_ways", "rejected", measured),
        *_real(measured),
        *_strong(measured),
        *_heads(measured),
    ]
    return "\n".join(parts) + "\n"


def _protocol(title: str, key: str, measured: Mapping[str, Figures], missing: Mapping[str, str]) -> list[str]:
    rows = []
    for name, found in measured.items():
        here, spread = found[key], found["seed_protocol_spread"] if key.startswith("seed") else {}
        cells = [_spreading(here[each], spread.get(each)) for each in ("micro_accuracy", "exact_match")]
        cells += [_spreading(here[each.value]["f1"], spread.get(each.value, {}).get("f1")) for each in NETWORK_DEFECTS]
        rows.append([name, *cells])
    rows += [[name, f"not run: {why}", "", "", "", ""] for name, why in missing.items()]
    return [
        f"## {title}\n",
        *table_lines(["", "micro", "exact", *(f"F1 {defect.value}" for defect in NETWORK_DEFECTS)], rows),
    ]


def _false_flags(title: str, key: str, act: str, measured: Mapping[str, Figures]) -> list[str]:
    """Return a table of counts and shares with their 95 % intervals."""
    rows = [
        [name, f"{words} ({seen['pictures']})", *(count_cell(seen[act][flag], seen["pictures"]) for flag in _FLAGS)]
        for name, found in measured.items()
        for kind, words in _KINDS.items()
        if act in (seen := found[key].get(kind, {}))
    ]
    return [f"## {title}; 95 % intervals in brackets\n", *table_lines(["", "photos", *_FLAGS], rows)] if rows else []


def _real(measured: Mapping[str, Figures]) -> list[str]:
    rows = []
    for name, found in measured.items():
        real = found.get("real_exposure_at_tag")
        if real is not None:
            cells = [_found(real[label], defect) if label in real else "" for label, (defect, _) in _REAL.items()]
            rows.append([name, *cells, *(_digits(real.get(f"auc_{defect}")) for defect in ("under", "over"))])
    head = ["", *(words for _, words in _REAL.values()), "AUC under", "AUC over"]
    return ["## Really mis-exposed photos, at `tag`\n", *table_lines(head, rows)] if rows else []


def _found(seen: Figures, defect: str) -> str:
    hits, total = seen["tagged"][defect], seen["pictures"]
    return f"{hits} of {total} = {hits / total * 100:.1f}"


def _strong(measured: Mapping[str, Figures]) -> list[str]:
    """Return a table of the share found of each way of blurring."""
    rows, ways = [], next(iter(measured.values()))["strong_blur_found"]
    for name, found in measured.items():
        for act, words in (("tagged", "tagged"), ("rejected", "past reject")):
            shares = [seen[act] for seen in found["strong_blur_found"].values() if act in seen]
            if shares:
                rows.append([name, words, *map(_percent, shares)])
    return [
        "## Strong blur\n",
        *table_lines(["", "", *(f"{way} ({seen['pictures']})" for way, seen in ways.items())], rows),
    ]


def _heads(measured: Mapping[str, Figures]) -> list[str]:
    rows = []
    for name, found in measured.items():
        for protocol, words in (("seed_protocol_at_0.5", "KADIS"), ("linear_protocol_at_tag", "linear light")):
            for defect in NETWORK_DEFECTS:
                head = found[protocol][defect.value]
                counts = (head[f"{kind}_{sign}"] for kind in ("true", "false") for sign in ("positive", "negative"))
                shares = (_percent(head[key]) for key in ("precision", "recall", "f1"))
                errors = _errors(found, defect) if words != "KADIS" else ["", ""]
                rows.append([name, defect.value, words, _digits(head["auc"]), *shares, *map(str, counts), *errors])
    errors = ["ECE", "ECE, weighed"]
    head_row = ["", "head", "protocol", "AUC", "precision", "recall", "F1", "TP", "TN", "FP", "FN", *errors]
    shares = next(iter(measured.values()))["expected_calibration_error"]["prevalence"]
    weighed = ", ".join(f"{defect} {share:.0%}" for defect, share in shares.items())
    note = f"ECE: calibration error in ten bins, as drawn, and weighed to these shares of photos: {weighed}."
    return [
        "## Each head\n",
        *table_lines(head_row, rows),
        note + " Counts of the KADIS protocol are those of all its draws.\n",
    ]


def _errors(found: Figures, defect: Defect) -> list[str]:
    keys = ("expected_calibration_error_as_drawn", "expected_calibration_error")
    return [_digits(found.get(key, {}).get(defect.value)) for key in keys]


def table_lines(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    """Return a Markdown table and an empty line."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines] + [""]


def _digits(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.4f}"


def _percent(share: float) -> str:
    return f"{share * 100:.1f}"


def _spreading(share: float, spread: float | None) -> str:
    return _percent(share) if spread is None else f"{_percent(share)} ± {_percent(spread)}"


def count_cell(hits: int, total: int) -> str:
    """Return a count, its share and the 95 % interval of that."""
    low, high = wilson(hits, total)
    return f"{hits} = {hits / total * 100:.1f} % ({low * 100:.0f}-{high * 100:.0f})" if total else "0"
