"""`culld report`: how often culld was wrong, by what people did with the photos that it moved."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.cli import config_option, exit_codes, since_option
from culld.records import display_path
from culld.stages.decide.feedback import Feedback

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from culld.records import Verdict
    from culld.stages.decide.feedback import FeedbackCounts, QuarantinedFeedback

_KEYS: Final = {
    Feedback.FALSE_REJECT: "false",
    Feedback.CONFIRMED: "confirmed",
    Feedback.PENDING: "waiting",
    Feedback.NONE: "none",
    Feedback.UNCLEAR: "unclear",
}
"""The keys of the counts in the JSON."""

_WIDTH = 30
_BARS = "█▓░·?"


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer the command."""
    parser = subparsers.add_parser(
        "report", help="false rejects per defect, camera and rule, by what you did with them"
    )
    config_option.add_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a defect, camera or rule")
    parser.add_argument(
        "--since", type=since_option.parse_since, metavar="T", help="only what was decided since then: 30d"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="also draw it as a PNG")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Count the answers."""
    from culld.app.feedback import feedback_of_people  # noqa: PLC0415
    from culld.app.startup import open_journal_readonly  # noqa: PLC0415
    from culld.errors import SystemFaultError  # noqa: PLC0415 (SQLite and Pillow would slow `culld --help` down)

    with contextlib.closing(open_journal_readonly(config_option.state(args))) as journal:
        answered = feedback_of_people(journal, args.since)
        counts = journal.counts(args.since)
        waiting = journal.unwanted(args.since)
    groups = _groups(answered)
    for line in _as_json(groups) if args.json else _as_text(groups, counts, waiting):
        print(line)
    if args.plot is not None:
        try:
            _draw(args.plot, groups)
        except OSError as error:
            raise SystemFaultError(f"{display_path(args.plot)} cannot be written: {error}") from error
        print(f"drawn: {display_path(args.plot)}", file=sys.stderr)
    return exit_codes.FINE


def _groups(answered: Sequence[QuarantinedFeedback]) -> dict[str, list[FeedbackCounts]]:
    from culld.stages.decide.feedback import defect_of, feedback_counts  # noqa: PLC0415

    return {
        "defect": feedback_counts(answered, defect_of),
        "camera": feedback_counts(answered, lambda reject: reject.camera or "unknown"),
        "rule": feedback_counts(answered, lambda reject: reject.rule or "unknown"),
    }


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


def _as_text(
    groups: Mapping[str, Sequence[FeedbackCounts]], counts: Mapping[Verdict, int], waiting: int
) -> Iterator[str]:
    yield "decisions: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    if waiting:
        yield f"{waiting} more would have been moved, had culld been let (mode observe, or the brake)"
    if not groups["defect"]:
        yield "nothing was moved, so there are no answers yet"
        return
    yield "   ".join(f"{bar} {answer}" for bar, answer in zip(_BARS, Feedback, strict=True))
    most = max(tally.counts.total() for tally in groups["defect"])
    for kind, found in groups.items():
        yield ""
        yield f"{'by ' + kind:<36}{'moved':>7}{'back':>6}{'deleted':>9}{'wrong':>8}"
        for tally in found:
            rate = "-" if tally.false_rate is None else f"{tally.false_rate:.1%}"
            yield (
                f"  {tally.name[:33]:<34}{tally.counts.total():>7}{tally.counts[Feedback.FALSE_REJECT]:>6}"
                f"{tally.counts[Feedback.CONFIRMED]:>9}{rate:>8}  {_bar(tally, max(most, 1))}"
            )


def _bar(tally: FeedbackCounts, most: int) -> str:
    return "".join(
        bar * round(_WIDTH * tally.counts[answer] / most) for bar, answer in zip(_BARS, Feedback, strict=True)
    )


def _draw(file: Path, groups: Mapping[str, Sequence[FeedbackCounts]]) -> None:
    from culld.cli.bar_chart import draw  # noqa: PLC0415

    rows = [
        (f"{kind}: {tally.name}", [tally.counts[answer] for answer in Feedback])
        for kind, found in groups.items()
        for tally in found
    ]
    draw(file, "What became of the photos that culld moved", list(Feedback), rows)
