"""`culld policy simulate`: what another policy would move, and bring back, of the photos of the past."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from culld.cli import exit_codes, since_option
from culld.records import display_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from culld.config import Config
    from culld.stages.decide.replay import ReplayResult

_SHOWN = 20


def add(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer the action."""
    parser = actions.add_parser("simulate", help="replay a policy on past decisions: what would move, what come back")
    parser.add_argument("file", type=Path, metavar="NEW", help="the configuration file with that policy")
    parser.add_argument(
        "--since", type=since_option.parse_since, metavar="T", help="only photos judged since then: 30d"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a photo that would move or come back")
    parser.add_argument("--apply", action="store_true", help="carry it out; culld must not be running")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Tell what would change, and with `--apply` change it."""
    from culld.app.model_files import with_resolved_thresholds  # noqa: PLC0415
    from culld.config import load_config  # noqa: PLC0415 (pydantic and YAML would slow `culld --help` down)
    from culld.errors import ConfigError  # noqa: PLC0415
    from culld.records import Mode  # noqa: PLC0415

    config = with_resolved_thresholds(load_config(args.file, os.environ))
    observes = all((watch.mode or config.policy.mode) is Mode.OBSERVE for watch in config.watch)
    if args.apply and observes:
        raise ConfigError(
            (f"{display_path(args.file)}: policy.mode is observe, which moves nothing; write enforce first",)
        )
    return _apply(args, config) if args.apply else _tell(args, config, observes=observes)


def _tell(args: argparse.Namespace, config: Config, *, observes: bool) -> int:
    from culld.app.engine_pool import open_pool  # noqa: PLC0415
    from culld.app.simulate import Simulation  # noqa: PLC0415
    from culld.app.startup import open_journal_readonly  # noqa: PLC0415
    from culld.stages.decide.replay import ReplayAction  # noqa: PLC0415

    with open_journal_readonly(config.state) as journal:
        simulation = Simulation(config, journal)
        found = simulation.changes(args.since)
        if any(change.action is ReplayAction.MOVE for change in found):
            with open_pool(config) as pool:
                found = simulation.with_user_metadata(found, pool)
    _print(args, config, found)
    if observes and not args.json:
        print("\nmode is observe: none of this happens until the file says enforce")
    return exit_codes.FINE


def _apply(args: argparse.Namespace, config: Config) -> int:
    from culld.app.engine_pool import open_pool  # noqa: PLC0415
    from culld.app.simulate import Simulation  # noqa: PLC0415
    from culld.app.startup import open_journal, require_quarantine  # noqa: PLC0415
    from culld.files.locks import RootLocks, state_lock  # noqa: PLC0415

    roots = [watch.path for watch in config.watch]
    with state_lock(config.state), RootLocks() as claims, open_journal(config) as journal, open_pool(config) as pool:
        claims.acquire_all(roots)
        require_quarantine(config, journal)
        simulation = Simulation(config, journal)
        found = simulation.with_user_metadata(simulation.changes(args.since), pool)
        _print(args, config, found)
        restored, outcomes = simulation.apply(found, pool)
    faults = [f"{display_path(result.record.path)}: {result.fault}" for result in restored if result.fault]
    faults += [f"{display_path(each.plan.photo.place.path)}: {each.fault}" for each in outcomes if each.fault]
    for fault in faults:
        print(f"not done  {fault}", file=sys.stderr)
    if not args.json:
        moved = sum(bool(outcome.plan.moves) and not outcome.fault for outcome in outcomes)
        print(f"\ndone: {moved} moved, {sum(not result.fault for result in restored)} came back")
    return exit_codes.SOME_FAILED if faults else exit_codes.FINE


def _print(args: argparse.Namespace, config: Config, found: Sequence[ReplayResult]) -> None:
    for line in _as_json(found) if args.json else _as_text(config, found):
        print(line)


def _as_json(found: Sequence[ReplayResult]) -> Iterator[str]:
    for change in _changing(found):
        scores = change.case.stack.primary.result
        yield json.dumps(
            {
                "path": display_path(change.case.stack.primary.photo.place.path),
                "now": display_path(change.case.now.path),
                "would": change.action,
                "was": change.case.verdict,
                "rule": change.decision.rule,
                "reason": change.decision.reason,
                **{name: getattr(scores, name, None) for name in ("blur", "under", "over")},
            }
        )


def _as_text(config: Config, found: Sequence[ReplayResult]) -> Iterator[str]:
    from culld.stages.decide.replay import ReplayAction  # noqa: PLC0415

    counts = Counter(change.action for change in found)
    yield f"policy {config.rules().digest} on {len(found)} photos that were judged before"
    yield from (f"  {('would ' + fate):<26}{counts[fate]:>8}" for fate in ReplayAction)
    changing = _changing(found)
    rules = Counter((change.action, change.decision.rule or "nothing rejects it any more") for change in changing)
    if rules:
        yield ""
        yield from (f"  {fate:<10}  {count:>6}  by {rule}" for (fate, rule), count in rules.most_common())
        yield ""
    for change in changing[:_SHOWN]:
        photo = display_path(change.case.stack.primary.photo.place.path)
        yield f"  {change.action:<10}  {photo}  ({change.decision.reason})"
    if len(changing) > _SHOWN:
        yield f"  ... and {len(changing) - _SHOWN} more; --json lists all"


def _changing(found: Sequence[ReplayResult]) -> list[ReplayResult]:
    from culld.stages.decide.replay import ReplayAction  # noqa: PLC0415

    return [change for change in found if change.action in {ReplayAction.MOVE, ReplayAction.RESTORE}]
