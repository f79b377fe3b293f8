"""The state of the daemon, as the service manager and `culld status` are told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from culld.app.service_status import DaemonState

QUIET = DaemonState(
    waiting=0,
    is_full=False,
    slow=0,
    trouble="",
    policy="ab12",
    policy_problem=None,
    roots=[Path("/photos")],
    offline={},
    unwatched=0,
    unread_folders=0,
    unread={},
    quarantine=Path("/quarantine"),
)


def test_without_work_and_trouble_the_line_has_the_queue_and_the_policy() -> None:
    """And nothing else."""
    assert QUIET.line("", brake="", clock_doubt="") == "0 waiting; policy ab12"


def test_the_line_names_all_trouble_in_a_fixed_order() -> None:
    """A line that does not change is not sent again."""
    state = replace(
        QUIET,
        waiting=7,
        is_full=True,
        slow=2,
        trouble="no worker",
        policy_problem="policy.mode: unknown",
        offline={Path("/photos"): "is not mounted"},
        unread_folders=3,
    )

    assert state.line("keep a.jpg", brake="too many rejects", clock_doubt="it was set") == (
        "7 and more waiting; policy ab12; 2 still being written after ten minutes; last: keep a.jpg; "
        "no worker; offline: /photos; "
        "3 folders cannot be read; the brake is active, no photo is moved: see culld status; "
        "the clock is in doubt: see culld status; config reload failed, still using the last valid policy"
    )


def test_the_report_for_the_status_command_is_json() -> None:
    """Paths become text."""
    state = replace(QUIET, offline={Path("/photos"): "is not mounted"})

    report = json.loads(state.to_json("running", 42))

    assert (report["state"], report["pid"], report["policy_problem"]) == ("running", 42, None)
    assert (report["watch"], report["quarantine"]) == (["/photos"], "/quarantine")
    assert report["offline"] == {"/photos": "is not mounted"}
