"""Writes the figures of the bench to RESULTS.md and a plot."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_SPEED = ("6.3-megapixel JPEG", "ms a photo", "photos/s/core", "to the floor", "CleanVision to it")
FLOOR, ONCE, RUN, CLEANVISION = 0, 1, 2, 3
"""Where these stand among the contenders."""


def write(figures: dict[str, Any], path: Path) -> None:
    """Write the report, and the plot beside it."""
    path.write_text("\n".join(_lines(figures, path.with_suffix(".png").name)) + "\n", "utf-8")
    _plot(figures, path.with_suffix(".png"))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table in Markdown."""
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def _lines(figures: dict[str, Any], plot: str) -> list[str]:
    kind = "cut from camera originals" if figures["real"] else "drawn"
    return [
        "# How fast culld is, beside its peers",
        "",
        f"`make bench`, {datetime.now(UTC):%Y-%m-%d}, on: {figures['machine']}. Everything in one run, turn by turn;",
        f"medians of {len(next(iter(figures['turns'].values())))} turns. {figures['photos']} JPEGs of 6.3 megapixels,",
        f"{figures['megabytes']:.1f} MB each, {kind}, every fourth out of focus; the peers get 200 of them, TensorFlow",
        "40. Imports of the peers are not counted, culld's start is.",
        "",
        *table(
            ("6.3-megapixel JPEG", "ms a photo", "photos/s/core", "to the floor", "CleanVision to it"), _speed(figures)
        ),
        "",
        f"![ms a photo]({plot})",
        "",
        "## The bars",
        "",
        *table(("bar", "wanted", "reached"), _bars(figures)),
        "",
        f"A start of `culld once` that finds nothing takes {figures['start']:.2f} s.",
        "",
        "## Other sizes and formats",
        "",
        "Wall-clock milliseconds a photo with two workers, culld's start not counted; 16 photos of a kind.",
        "",
        *table(("kind", "culld", "floor", "CleanVision, 2 jobs"), _sizes(figures)),
        "",
        "## Memory",
        "",
        "The most that all processes hold together, shared pages counted once.",
        "",
        *table(("what", "MB"), ((name, f"{value:.0f}") for name, value in figures["memory"].items())),
        "",
        "## Where the time goes",
        "",
        "Milliseconds of one core for a photo of 6.3 megapixels: the stages in a worker, each alone (medians), and",
        "what the processes of the daemon used for a drop.",
        "",
        *table(("stage", "ms"), ((name, f"{value:.2f}") for name, value in _profile(figures))),
        "",
        "## Decoding",
        "",
        *table(("library", "ms a photo, one core"), ((n, f"{value:.1f}") for n, value in figures["decoders"].items())),
        "",
        *_parity(figures),
        "",
        "## Scale",
        "",
        "Tiny photos dropped at once; a constant answers in place of decoder and network, in the daemon's own process.",
        "",
        *table(
            ("photos", "in folders", "seconds", "ms of processor a photo", "memory of the daemon's process, MB"),
            _scale(figures),
        ),
        "",
    ]


def _speed(figures: dict[str, Any]) -> Iterable[Sequence[str]]:
    medians = _medians(figures)
    floor, cleanvision = list(medians.values())[FLOOR], list(medians.values())[CLEANVISION]
    for name, value in medians.items():
        yield name, f"{value:.1f}", f"{500 / value:.1f}", f"{value / floor:.2f}", f"{cleanvision / value:.1f}x"


def _bars(figures: dict[str, Any]) -> Iterable[Sequence[str]]:
    values = list(_medians(figures).values())
    memory = max(value for name, value in figures["memory"].items() if name.startswith("culld"))
    rescan = figures["scale"][-1]["rescan"]
    daemon = figures["memory"]["culld run, while a drop is judged"]
    grown = daemon + figures["scale"][-1]["peak"] - figures["scale"][1]["peak"]
    yield "CleanVision with 2 jobs to `culld once`", "at least 5x", f"{values[CLEANVISION] / values[ONCE]:.1f}x"
    yield "`culld once` to the floor", "at most 1.25", f"{values[ONCE] / values[FLOOR]:.2f}"
    yield "drop to moved and tagged, to the floor", "at most 1.5", f"{values[RUN] / values[FLOOR]:.2f}"
    yield "memory of all processes", "at most 400 MB", f"{memory:.0f} MB"
    yield "the same for a drop of 100,000, from the table of scale", "at most 400 MB", f"{grown:.0f} MB"
    yield "rescan of 100,000 files, warm", "under 2 s", f"{rescan:.2f} s"
    if figures["parity"]:
        yield "a score against full decode", "at most 0.01", f"{figures['parity']['largest']:.4f}"


def _sizes(figures: dict[str, Any]) -> Iterable[Sequence[str]]:
    for kind, found in figures["sizes"].items():
        yield kind, *("does not read it" if value is None else f"{value:.0f}" for value in found.values())


def _profile(figures: dict[str, Any]) -> Iterable[tuple[str, float]]:
    yield from ((f"worker: {stage}", value) for stage, value in figures["stages"].items())
    yield from ((f"drop: {name}, all in all", value) for name, value in figures["loop"].items())


def _parity(figures: dict[str, Any]) -> Iterable[str]:
    if parity := figures["parity"]:
        yield f"Reduced decode against full decode, {parity['photos']} camera JPEGs: no probability moved by more than"
        yield f"{parity['largest']:.4f}."
    if half := figures["precision"]:
        yield f"Half precision (TensorFlow, on the CPU) against single, {half['frames']} frames of photos as they are,"
        yield f"out of focus, too dark and too bright: at most {half['largest']:.4f}; verdicts changed:"
        yield f"{half['verdicts']}."


def _scale(figures: dict[str, Any]) -> Iterable[Sequence[str]]:
    for found in figures["scale"]:
        photos = found["photos"]
        yield (
            f"{photos:,}",
            f"{found['folders']}",
            f"{found['seconds']:.1f}",
            f"{1000 * found['cpu'] / photos:.2f}",
            f"{found['peak']:.0f}",
        )


def _medians(figures: dict[str, Any]) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in figures["turns"].items()}


def _plot(figures: dict[str, Any], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    medians = _medians(figures)
    names, values = list(medians)[::-1], list(medians.values())[::-1]
    figure, axes = plt.subplots(figsize=(9, 3.6), layout="constrained")
    colours = ["#3465a4" if name.startswith("culld") else "#888a85" for name in names]
    bars = axes.barh(names, values, color=colours)
    axes.bar_label(bars, [f"{value:.0f}" for value in values], padding=3)
    axes.set_xlabel("milliseconds a photo of 6.3 megapixels, two cores")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
