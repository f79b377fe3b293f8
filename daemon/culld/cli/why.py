"""`culld why`: what was decided about one photo, from what, and its whole history."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from culld.cli import config_option, exit_codes
from culld.cli.log import as_json, as_text
from culld.records import Defect, RootedPath, display_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from culld.config import Config
    from culld.records import FolderPolicies, RecordedDecision


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer the command."""
    parser = subparsers.add_parser("why", help="why a photo was kept, tagged or moved: scores, facts, rule, history")
    config_option.add_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("path", type=Path, metavar="PHOTO", help="where it is now, or where it was")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Explain one photo."""
    from culld.app.model_files import resolve_policies  # noqa: PLC0415 (pydantic and SQLite would slow `culld --help` down)
    from culld.app.startup import open_journal_readonly  # noqa: PLC0415

    _, config = config_option.load(args)
    policies = resolve_policies(config)
    path = args.path.absolute()
    with contextlib.closing(open_journal_readonly(config.state)) as journal:
        history = [decision for place in _places(path, config) for decision in journal.history_of(place)]
    case = history[-1] if history else None
    if case is None or not (case.ended or case.restored):
        print(f"culld has not judged {display_path(path)}", file=sys.stderr)
        return exit_codes.SOME_FAILED
    if args.json:
        print(json.dumps(_print(case, policies) | {"history": [as_json(decision) for decision in history]}))
    else:
        print("\n".join(_lines(case, policies, history)))
    return exit_codes.FINE


def _places(path: Path, config: Config) -> Iterator[RootedPath]:
    """The place that a path is, by the folder that it lies in: the innermost of those configured."""
    roots = sorted((*(watch.path for watch in config.watch), config.quarantine), key=lambda root: -len(root.parts))
    root = next((root for root in roots if path.is_relative_to(root) and path != root), None)
    if root is not None:
        yield RootedPath(root, path.relative_to(root))


def _print(case: RecordedDecision, policies: FolderPolicies) -> dict[str, object]:
    lead = case.stack.primary
    camera, exposure = lead.photo.camera, lead.photo.camera.exposure
    light = exposure.light_value
    rules = policies.by_root.get(lead.photo.place.root, policies.default)
    return {
        "path": display_path(lead.photo.place.path),
        "now": display_path(case.now.path),
        "verdict": case.verdict,
        "rule": case.rule,
        "reason": case.reason,
        "scores": {defect.value: getattr(lead.result, defect.value, None) for defect in Defect},
        "model": lead.model,
        "policy": case.policy,
        "policy_in_force": rules.digest,
        "thresholds": {
            defect.value: {"tag": rules.of(defect).tag, "reject": rules.of(defect).reject} for defect in Defect
        },
        "facts": {
            "camera": camera.model,
            "taken_at": camera.taken_at and camera.taken_at.isoformat(),
            "exposure_time": exposure.time_s,
            "aperture": exposure.aperture,
            "iso": exposure.iso,
            "bias": exposure.bias_ev,
            "light_value": None if light is None else round(light, 2),
            "focal_length": camera.focal_mm,
            "format": lead.photo.format,
            "belongs_to_it": [
                display_path(Path(p.relative.name)) for p in (*case.stack.sidecars, *case.stack.blocking_files)
            ],
            "same_shot": [display_path(Path(place.relative.name)) for place in case.siblings],
        },
        "restored": case.content_restored,
    }


def _lines(case: RecordedDecision, policies: FolderPolicies, history: Sequence[RecordedDecision]) -> Iterator[str]:
    told = _print(case, policies)
    yield f"{told['path']}"
    if told["now"] != told["path"]:
        yield f"  now         {told['now']}"
    yield f"  verdict     {case.verdict}" + (f", by {case.rule}" if case.rule else "")
    yield f"  reason      {case.reason}"
    yield f"  scores      {case.stack.primary.result}   (model {case.stack.primary.model})"
    yield f"  thresholds  {_thresholds(told)}"
    same = case.policy == told["policy_in_force"]
    yield f"  policy      {case.policy}" + (" (in force)" if same else f"; in force now is {told['policy_in_force']}")
    facts = told["facts"]
    assert isinstance(facts, dict)  # noqa: S101 (as it was made above)
    known = ", ".join(f"{name} {_plain(value)}" for name, value in facts.items() if value not in (None, []))
    yield f"  facts       {known or 'the file tells none'}"
    yield "  history"
    yield from (f"    {as_text(decision)}" for decision in history)


def _thresholds(told: dict[str, object]) -> str:
    limits = told["thresholds"]
    assert isinstance(limits, dict)  # noqa: S101 (as it was made above)
    return ", ".join(
        f"{name} tag {each['tag']:g} reject {'never' if each['reject'] is None else format(each['reject'], 'g')}"
        for name, each in limits.items()
    )


def _plain(value: object) -> str:
    if isinstance(value, list):
        return " ".join(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
