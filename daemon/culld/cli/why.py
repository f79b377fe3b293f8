"""`culld why`: the last decision about a photo with its scores and facts, and all decisions about it."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from culld.app.decision_json import burst_json, copy_json, decision_json, explanation_json, facts_json
from culld.app.decisions import explain_decision
from culld.app.segment_json import regions_json
from culld.app.why_messages import WhyRequest
from culld.app.why_picture import picture_why
from culld.cli import configuration, exit_codes
from culld.cli.log import as_row
from culld.cli.photo_files import place_of, write_picture
from culld.cli.subject_text import subject_text
from culld.cli.terminal import terminal_of
from culld.errors import PhotoError
from culld.records import CopyState, Defect, Format, Scores, SeriesKind, display_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from culld.app.burst_view import BurstView, FrameNote
    from culld.app.decisions import Explanation
    from culld.app.why_messages import WhyPicture
    from culld.cli.terminal import Terminal
    from culld.config import Config
    from culld.records import Policy, RecordedCopy, Threshold


def run(args: argparse.Namespace) -> int:
    """Print the explanation; return 1 if culld has not judged the photo."""
    _, config = configuration.load(args)
    path = args.path.absolute()
    explanation = explain_decision(config, path)
    if explanation is None:
        print(f"culld has not judged {display_path(path)}", file=sys.stderr)
        return exit_codes.SOME_FAILED
    if args.json:
        picture = _picture(args.picture, config, explanation)
        print(json.dumps(_as_json(explanation) | ({} if picture is None else _picture_json(picture))))
    else:
        terminal = terminal_of(sys.stdout, os.environ)
        _print(_facts(explanation), terminal)
        print("\n".join(["  history", *(as_row(each, terminal, "    ") for each in explanation.history)]))
        picture = _picture(args.picture, config, explanation)
        if picture is not None:
            _print([("heat map", picture.explanation.sentence), ("regions", picture.regions.sentence)], terminal)
    return exit_codes.SOME_FAILED if picture is None and args.picture is not None else exit_codes.FINE


def _print(facts: Iterable[tuple[str, str]], terminal: Terminal) -> None:
    """Print facts in two columns; one without a name stands alone, as the path of the photo does."""
    for name, text in facts:
        print("\n".join(terminal.labelled(f"  {name:<12}" if name else "", text)))


def _picture(out: Path | None, config: Config, explanation: Explanation) -> WhyPicture | None:
    """Write the picture of the main defect and of the regions, if one is wanted; None without one.

    Prints why there is none if the photo cannot be explained.
    """
    if out is None:
        return None
    case = explanation.case
    path, scores = case.now.path, case.stack.primary.result
    if case.photo.format is Format.VIDEO:
        print(f"culld: {display_path(path)}: a clip has no heat map; see `culld segment`", file=sys.stderr)
        return None
    head = max(scores.known, key=scores.of) if isinstance(scores, Scores) else None
    try:
        found = picture_why(config, WhyRequest(place_of(path), head))
    except PhotoError as error:
        print(f"culld: {display_path(path)}: {error}", file=sys.stderr)
        return None
    write_picture(out, found.picture, path)
    return found


def _as_json(explanation: Explanation) -> dict[str, object]:
    history = [decision_json(decision) for decision in explanation.history]
    more = {"burst_view": burst_json(explanation.burst), "copy": copy_json(explanation.copy), "history": history}
    return explanation_json(explanation.case, explanation.policy) | more


def _picture_json(picture: WhyPicture) -> dict[str, object]:
    """Return what the picture shows: where the main defect is seen, and the regions with a defect."""
    seen = {"head": picture.explanation.head, "sentence": picture.explanation.sentence}
    return {"heat_map": seen, "regions": regions_json(picture.regions)}


def _facts(explanation: Explanation) -> Iterator[tuple[str, str]]:
    """Yield the facts of the decision, each with its name."""
    case, policy = explanation.case, explanation.policy
    primary = case.stack.primary
    path, now = display_path(primary.photo.place.path), display_path(case.now.path)
    yield "", path
    if now != path:
        yield "now", now
    yield "verdict", f"{case.verdict}" + (f", by {case.rule}" if case.rule else "")
    yield "reason", case.reason
    yield "scores", f"{primary.result}   ({'shares of the time; ' if primary.clip else ''}model {primary.model})"
    if primary.clip is not None:
        yield "clip", f"{primary.clip.verdict}: {primary.clip.sentence}"
    if primary.subject is not None:
        yield "subject", subject_text(primary.subject)
    yield "thresholds", _thresholds(policy, primary.photo.format)
    same = case.policy == policy.digest
    yield "policy", case.policy + (" (in force)" if same else f"; {policy.digest} is in force now")
    known = {name: value for name, value in facts_json(case).items() if value not in (None, [])}
    yield "facts", ", ".join(f"{name} {_plain(value)}" for name, value in known.items()) or "none in the file"
    if explanation.copy is not None:
        yield "copy", _copy_text(explanation.copy)
    if explanation.burst is not None:
        yield from _burst(explanation.burst)


def _copy_text(copy: RecordedCopy) -> str:
    """Return how far the repaired copy of a photo is, and why."""
    made = copy.state in {CopyState.MADE, CopyState.REMOVED} and copy.place is not None
    state = f"{copy.state}, {display_path(copy.place.path)}" if made and copy.place else copy.state
    return f"{state}: {copy.reason}" if copy.reason else state


def _burst(view: BurstView) -> Iterator[tuple[str, str]]:
    """Yield which frame of a series is the best, what is worse in each other one, and what is not known."""
    yield "burst" if view.kind is SeriesKind.BURST else "series", view.sentence
    names, states = ([len(text) for text in texts] for texts in zip(*map(_labels, view.rows), strict=True))
    for note in view.rows:
        name, state = _labels(note)
        yield f"  {name:<{max(names)}}  {state:<{max(states)}}", note.text
    yield from (("", f"    {text}") for text in view.notes)


def _labels(note: FrameNote) -> tuple[str, str]:
    return note.frame.name, note.frame.state_text


def _thresholds(policy: Policy, format_: Format) -> str:
    if format_ is Format.VIDEO:
        return "clips are not judged" if policy.clips is None else f"clips {_threshold(policy.clips)}"
    return ", ".join(f"{defect} {_threshold(policy.of(defect))}" for defect in Defect)


def _threshold(threshold: Threshold) -> str:
    reject = "never" if threshold.reject is None else format(threshold.reject, "g")
    return f"tag {threshold.tag:g} reject {reject}"


def _plain(value: object) -> str:
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)
