"""The state of the daemon and of the folders for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culld.app.review.report import counts
from culld.app.status import daemon_status
from culld.errors import ConfigError, SystemFaultError
from culld.records import WISH_FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from culld.app.review.index import Index
    from culld.records import Policy


def status(config_file: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what the daemon reported, and which folders are present now.

    Of a stopped daemon whose journal this user may only read, nothing but that it is stopped.
    """
    try:
        found = daemon_status(config_file, environ)
    except (SystemFaultError, ConfigError):
        return {"daemon": "stopped", "state": "stopped", "waiting": 0, "more": False, "brake": None, "offline": {}}
    return {
        "daemon": "stopped" if found.state == "stopped" else "running",
        "state": found.state,
        "waiting": found.waiting,
        "more": found.more,
        "brake": found.brake,
        "offline": dict(found.offline),
        "trouble": found.trouble,
        "clock": found.clock,
        "policy_problem": found.policy_problem,
    }


def status_answer(reported: dict[str, Any], index: Index, policy: Policy, state: Path) -> dict[str, Any]:
    """Return the whole answer: the report, the policy in force, the counts of the index, and the waiting wishes."""
    return reported | {
        "policy": policy.digest,
        "mode": policy.mode,
        "counts": counts(index),
        "wishes_waiting": _waiting(state / WISH_FOLDER),
        "change": index.change,
    }


def _waiting(folder: Path) -> int:
    try:
        return sum(file.suffix == ".json" for file in folder.iterdir())
    except OSError:
        return 0
