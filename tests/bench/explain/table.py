"""The page `explain.md` and the figures on the card, from the measurements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bench.explain.faithfulness import Found, Repair, ratio, with_interval
from culld.app.review.intervals import wilson
from culld.explain.method import Method
from culld.records import Defect

BARS = {"repair": 2.0, "pointing": 0.8, "energy": 2.0}
SANE = 0.5
"""With random weights the rank correlation must fall below it, for those of `RANDOMISED`."""
RANDOMISED = ("heads", "whole backbone")
_HEADS = ("defect", "method", "n", "local repair", "pointing game", "energy per area")


def figures_of(measured: Mapping[Method, Sequence[Found]], randomised: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Return the figures of one defect as JSON values; intervals are (low, high) of 95 %."""
    own = [found.whole for found in measured[Method.HIRESCAM] if found.whole is not None]
    return {
        "methods": {method.value: _local(found) for method, found in measured.items()},
        "whole": _repair(own),
        "randomised": {name: round(float(np.mean(values)), 3) for name, values in randomised.items()},
    }


def _local(found: Sequence[Found]) -> dict[str, Any]:
    hits = sum(each.hit for each in found)
    energies = np.array([[each.energy] for each in found])
    return {
        "scenes": len(found),
        "repair": _repair([each.local for each in found]),
        "pointing": _rounded((hits / len(found), *wilson(hits, len(found)))),
        "energy": _rounded(with_interval(energies, lambda drawn: float(drawn.mean()))),
    }


def _repair(repairs: Sequence[Repair]) -> dict[str, Any]:
    falls = {name: float(np.mean([getattr(each, name) for each in repairs])) for name in ("top", "random", "all")}
    return {"ratio": _rounded(ratio(repairs))} | {name: round(value, 2) for name, value in falls.items()}


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 3) for value in values]


_INTRODUCTION = """\
# Heat maps: how far they can be trusted

Written by `python -m bench.explain`; the same figures are on the card. Levels and smoothing were chosen on scenes of
the calibration; these figures are of scenes of the test. Intervals are of 95 %.

- **Local repair**: one rectangle of 10 to 25 % of a clean photo is degraded. A fifth of the cells is swapped back to
  the clean original: by how much the logit falls if these are the map's strongest cells, over the fall by cells of the
  same shapes elsewhere. Bar: 2.
- **Pointing game**: the strongest cell lies inside the rectangle. Bar: 0.8.
- **Energy per area**: the share of the positive map inside, over the share of the area. Bar: 2.
- **Whole repair**: the same as local repair where all of the photo is degraded. Bar: 2. The fall is limited by that of
  the whole photo, so the last column is the most that any map could reach.
- **Randomised**: the rank correlation of a map with that of the same photo by randomised weights. Bar: below 0.5 for
  the heads and for the whole backbone. The late half has no bar: most levels that explain exposure lie before it.
"""


def page(figures: Mapping[str, Any], levels: Mapping[Defect, Sequence[str]]) -> str:
    """Return the page as Markdown."""
    used = "; ".join(f"{head} {', '.join(names)}" for head, names in levels.items())
    lines = [
        _INTRODUCTION,
        *_methods(figures),
        "",
        *_wholes(figures),
        "",
        *_sanity(figures),
        "",
        f"Levels whose maps are added: {used}. Each map has 24x32 cells, smoothed over 3x3.",
        "",
        f"Bars missed by the default method: {'; '.join(_missed(figures)) or 'none'}.",
    ]
    return "\n".join(lines) + "\n"


def _methods(figures: Mapping[str, Any]) -> Iterator[str]:
    yield f"| {' | '.join(_HEADS)} |"
    yield f"|{'---|' * len(_HEADS)}"
    for head, found in figures.items():
        for method, each in found["methods"].items():
            parts = (each["repair"]["ratio"], each["pointing"], each["energy"])
            yield f"| {head} | {method} | {each['scenes']} | {' | '.join(map(_interval, parts))} |"


def _wholes(figures: Mapping[str, Any]) -> Iterator[str]:
    yield "| defect | whole repair | falls: map, random, all of the photo | most that is possible |"
    yield "|---|---|---|---|"
    for head, found in figures.items():
        whole = found["whole"]
        falls = f"{whole['top']:.2f}, {whole['random']:.2f}, {whole['all']:.2f}"
        yield f"| {head} | {_interval(whole['ratio'])} | {falls} | {whole['all'] / whole['random']:.2f} |"


def _sanity(figures: Mapping[str, Any]) -> Iterator[str]:
    names = list(next(iter(figures.values()))["randomised"])
    yield f"| randomised | {' | '.join(names)} |"
    yield f"|---|{'---|' * len(names)}"
    for head, found in figures.items():
        yield f"| {head} | {' | '.join(format(found['randomised'][name], '.2f') for name in names)} |"


def _missed(figures: Mapping[str, Any]) -> Iterator[str]:
    """A clause for each bar that the default method misses."""
    for head, found in figures.items():
        own = found["methods"][Method.HIRESCAM.value]
        reached = {"repair": own["repair"]["ratio"][0], "pointing": own["pointing"][0], "energy": own["energy"][0]}
        for name, bar in BARS.items():
            if reached[name] < bar:
                yield f"{head}: {name} {reached[name]:.2f} of {bar:g}"
        if found["whole"]["ratio"][0] < BARS["repair"]:
            yield f"{head}: whole repair {found['whole']['ratio'][0]:.2f} of {BARS['repair']:g}"
        for name, value in found["randomised"].items():
            if name in RANDOMISED and value >= SANE:
                yield f"{head}: randomised {name} {value:.2f}, not below {SANE:g}"


def _interval(values: Sequence[float]) -> str:
    value, low, high = values
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"
