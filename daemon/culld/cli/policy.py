"""`culld policy check`: validate a configuration file, and print its thresholds and rules."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from culld.app.clip_extra import missing_extra
from culld.app.model_files import resolve_policies
from culld.cli import exit_codes
from culld.cli.terminal import terminal_of
from culld.config import load_config
from culld.records import CopyPolicy, Defect, display_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from culld.config import Config
    from culld.records import FolderPolicies, Policy, Protection, Threshold


def run(args: argparse.Namespace) -> int:
    """Print the thresholds and rules of the file; raises ConfigError with every mistake in it."""
    config = load_config(args.file, os.environ)
    terminal = terminal_of(sys.stdout, os.environ)
    policies = resolve_policies(config)
    print("\n".join(_thresholds(policies.default)))
    print()
    for label, text in _rest(config, policies):
        print("\n".join(terminal.labelled(f"{label:<12}", text)))
    return exit_codes.FINE


def _protected(protect: Protection) -> Iterator[str]:
    """Yield a short description of each kind of photo that is never moved."""
    yield "restored by you"
    if protect.rated is not None:
        yield "rated" if protect.rated == 1 else f"rated from {protect.rated} stars"
    for name in ("edited", "series", "bursts"):
        if getattr(protect, name):
            yield {"series": "series", "bursts": "the best of a burst"}.get(name, name)
    if protect.night_below is not None:
        yield f"darkness below light value {protect.night_below:g}"
    if protect.smaller_than is not None:
        yield f"smaller than {protect.smaller_than} pixels"


def _thresholds(policy: Policy) -> Iterator[str]:
    yield f"{'defect':<10}{'tag':>8}{'reject':>8}"
    for defect in Defect:
        threshold = policy.of(defect)
        reject = "never" if threshold.reject is None else f"{threshold.reject:g}"
        yield f"{defect:<10}{threshold.tag:>8g}{reject:>8}"


def _rest(config: Config, policies: FolderPolicies) -> Iterator[tuple[str, str]]:
    """Yield rules, protection, brake and folders, each as a label and a text."""
    policy = policies.default
    yield from (("rule", f"{rule.name}: {rule.action} if {rule.when.text}") for rule in policy.named_rules)
    yield "protected", ", ".join(_protected(policy.protect))
    brake = policy.brake
    yield "brake", "none" if brake is None else f"above {brake.max_share:.0%} of the last {brake.window} photos"
    for watch in config.watch:
        here = policies.by_root[watch.path]
        copies = "" if here.enhance is CopyPolicy.NEVER else f", enhance {here.enhance}"
        more = f"{copies}{_of_clips(here.clips)}"
        yield "watch", f"{display_path(watch.path)}  (mode {here.mode}{more}, policy {here.digest})"
    yield "quarantine", display_path(config.quarantine)
    yield "state", display_path(config.state)
    if missing := missing_extra(policies):
        yield "note", missing


def _of_clips(clips: Threshold | None) -> str:
    """Return the thresholds of clips, as a part of a list; empty if clips are not judged."""
    if clips is None:
        return ""
    reject = "never" if clips.reject is None else f"{clips.reject:g}"
    return f", clips tag {clips.tag:g} reject {reject}"
