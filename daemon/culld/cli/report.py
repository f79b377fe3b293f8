"""`culld report`: the rate of wrong rejects, from the user's feedback on the photos that culld moved."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Final

from culld.app.report import report_rejects
from culld.cli import configuration, exit_codes
from culld.cli.bar_chart import draw
from culld.cli.terminal import cut_end, terminal_of
from culld.errors import NotRunYetError, SystemFaultError
from culld.records import display_path
from culld.stages.decide.feedback import Feedback

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from culld.app.report import RejectReport
    from culld.cli.terminal import Terminal
    from culld.stages.decide.feedback import FeedbackCounts

_KEYS: Final = {
    Feedback.FALSE_REJECT: "false",
    Feedback.CONFIRMED: "confirmed",
    Feedback.PENDING: "waiting",
    Feedback.NONE: "none",
    Feedback.UNCLEAR: "unclear",
}
"""The keys of the counts in the JSON."""

_WIDTH: Final = 30
_NAMES: Final = 34
_FEWEST: Final = 10
_FIGURES: Final = 2 + 7 + 6 + 7 + 8 + 2
"""The columns of a bar and of a name at most, of each at least, and of what stands between them."""
_BARS: Final = "█▓░·?"


def run(args: argparse.Namespace) -> int:
    """Print the counts, and draw them if `--plot` is given."""
    terminal = terminal_of(sys.stdout, os.environ)
    try:
        found = report_rejects(configuration.state(args), args.since)
    except NotRunYetError as error:
        print("" if args.json else "\n".join(terminal.labelled("", str(error))), end="" if args.json else "\n")
        return exit_codes.FINE
    for line in _as_json(found.groups) if args.json else _as_text(found, terminal):
        print(line)
    if args.plot is not None:
        try:
            _draw(args.plot, found.groups)
        except OSError as error:
            raise SystemFaultError(f"{display_path(args.plot)} cannot be written: {error}") from error
        print(f"chart written to {display_path(args.plot)}", file=sys.stderr)
    return exit_codes.FINE


def _as_json(groups: Mapping[str, Sequence[FeedbackCounts]]) -> Iterator[str]:
    for kind, found in groups.items():
        for tally in found:
            counts = {key: tally.counts[feedback] for feedback, key in _KEYS.items()}
            yield json.dumps(
                {
                    "by": kind,
                    "name": tally.name,
                    "rejected": tally.counts.total(),
                    **counts,
                    "false_rate": tally.false_rate,
                }
            )


def _as_text(report: RejectReport, terminal: Terminal) -> Iterator[str]:
    groups = report.groups
    decisions = ", ".join(f"{count} {verdict}" for verdict, count in report.decisions.items())
    yield from terminal.labelled("decisions: ", decisions)
    if report.held:
        reason = "mode: observe, or the brake is active"
        yield from terminal.labelled("", f"{report.held} more matched the reject rules but were not moved ({reason})")
    if not groups["defect"]:
        yield from terminal.labelled("", "no photo was moved, so there is no feedback yet")
        return
    yield from terminal.labelled("", "   ".join(f"{bar} {answer}" for bar, answer in zip(_BARS, Feedback, strict=True)))
    most = max(tally.counts.total() for tally in groups["defect"])
    names = _NAMES if terminal.width is None else max(_FEWEST, min(_NAMES, terminal.width - _FIGURES - _FEWEST))
    bars = _WIDTH if terminal.width is None else min(_WIDTH, terminal.width - names - _FIGURES)
    for kind, found in groups.items():
        yield ""
        yield f"{'by ' + kind:<{names + 2}}{'moved':>7}{'back':>6}{'right':>7}{'wrong':>8}"
        for tally in found:
            rate = "-" if tally.false_rate is None else f"{tally.false_rate:.1%}"
            yield (
                f"  {cut_end(tally.name, names - 1):<{names}}{tally.counts.total():>7}"
                f"{tally.counts[Feedback.FALSE_REJECT]:>6}{tally.counts[Feedback.CONFIRMED]:>7}{rate:>8}"
                f"  {_bar(tally, max(most, 1), bars)}"
            ).rstrip()


def _bar(tally: FeedbackCounts, most: int, columns: int) -> str:
    return "".join(
        bar * round(columns * tally.counts[answer] / most) for bar, answer in zip(_BARS, Feedback, strict=True)
    )[:columns]


def _draw(file: Path, groups: Mapping[str, Sequence[FeedbackCounts]]) -> None:
    rows = [
        (f"{kind}: {tally.name}", [tally.counts[answer] for answer in Feedback])
        for kind, found in groups.items()
        for tally in found
    ]
    draw(file, "Feedback on the photos that culld moved", list(Feedback), rows)
