"""`culld why`: the last decision about one photo, what it was made from, and all decisions about it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from culld.app.decisions import explain_decision
from culld.cli import configuration, exit_codes
from culld.cli.log import as_json, as_text
from culld.records import Defect, display_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from culld.app.decisions import Explanation


def run(args: argparse.Namespace) -> int:
    """Explain one photo."""
    _, config = configuration.load(args)
    path = args.path.absolute()
    explanation = explain_decision(config, path)
    if explanation is None:
        print(f"culld has not judged {display_path(path)}", file=sys.stderr)
        return exit_codes.SOME_FAILED
    if args.json:
        history = [as_json(decision) for decision in explanation.history]
        print(json.dumps(_as_json(explanation) | {"history": history}))
    else:
        print("\n".join(_lines(explanation)))
    return exit_codes.FINE


def _as_json(explanation: Explanation) -> dict[str, object]:
    case = explanation.case
    lead = case.stack.primary
    camera, exposure = lead.photo.camera, lead.photo.camera.exposure
    light = exposure.light_value
    return {
        "path": display_path(lead.photo.place.path),
        "now": display_path(case.now.path),
        "verdict": case.verdict,
        "rule": case.rule,
        "reason": case.reason,
        "scores": {defect.value: getattr(lead.result, defect.value, None) for defect in Defect},
        "model": lead.model,
        "policy": case.policy,
        "policy_in_force": explanation.policy.digest,
        "thresholds": {
            defect.value: {"tag": explanation.policy.of(defect).tag, "reject": explanation.policy.of(defect).reject}
            for defect in Defect
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
            "same_shot": [display_path(Path(p.photo.place.relative.name)) for p in case.stack.siblings],
        },
        "restored": case.restored,
    }


def _lines(explanation: Explanation) -> Iterator[str]:
    case, told = explanation.case, _as_json(explanation)
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
    yield from (f"    {as_text(decision)}" for decision in explanation.history)


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
