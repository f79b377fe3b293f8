"""What the daemon reports: heartbeats and a line of status to the service manager, its state to `culld status`."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from culld.ports import Clock
    from culld.records import Outcome, Verdict
    from culld.system.sd_notify import Notifier


@dataclass(slots=True)
class ServiceStatus:
    """Sends heartbeats and status lines; the manager expects a heartbeat every `watchdog_s` seconds (None: never)."""

    notifier: Notifier
    watchdog_s: float | None
    clock: Clock
    _last_heartbeat: float = float("-inf")
    _last_status: str = ""

    @property
    def watchdog_half_s(self) -> float:
        """How long the loop may sleep between two heartbeats, in seconds; infinite without a watchdog."""
        return self.watchdog_s / 2 if self.watchdog_s else float("inf")

    def heartbeat(self) -> None:
        """Send a heartbeat, unless the last one is younger than a quarter of the watchdog interval."""
        now = self.clock.monotonic()
        if self.watchdog_s and now - self._last_heartbeat >= self.watchdog_s / 4:
            self._last_heartbeat = now
            self.notifier.watchdog()

    def set_status(self, text: str) -> bool:
        """Send a status line if it is not the last one that was sent, and return whether it was sent."""
        changed = text != self._last_status
        if changed:
            self._last_status = text
            self.notifier.status(text)
        return changed

    def ready(self) -> None:
        """Report that start or reload is complete."""
        self.notifier.ready(self._last_status)


@dataclass(slots=True)
class OutcomeCount:
    """How often each verdict was carried out since the start, and the `last` verdict with its photo."""

    last: str = ""
    _verdicts: Counter[Verdict] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self._verdicts[outcome.plan.verdict] += 1
        self.last = f"{outcome.plan.verdict} {display_path(outcome.plan.photo.place.relative)}"

    def as_text(self) -> str:
        """The counts by verdict; empty if there was no outcome."""
        return ", ".join(f"{count} {verdict}" for verdict, count in sorted(self._verdicts.items()))


@dataclass(frozen=True, slots=True)
class DaemonState:
    """The state of the daemon at one moment; it is reported at once, for the mappings in it may change later.

    `waiting` counts photos, of which `slow` have been written for more than ten minutes; `is_full` says that more were
    found. `offline` has the reason for each unavailable folder; `unread` has the reasons for the first of the
    `unread_folders`. `passed_over` counts pictures of formats that culld does not read, by extension.
    """

    waiting: int
    is_full: bool
    slow: int
    trouble: str
    policy: str
    policy_problem: str | None
    roots: Sequence[Path]
    offline: Mapping[Path, str]
    unwatched: int
    unread_folders: int
    unread: Mapping[str, str]
    quarantine: Path
    passed_over: Mapping[str, int] = field(default_factory=dict)

    def line(self, last_outcome: str, brake: str, clock_doubt: str) -> str:
        """Return the line of status for the service manager; a part whose text is empty is left out."""
        more = " and more" if self.is_full else ""
        parts = [f"{self.waiting}{more} waiting", f"policy {self.policy}"]
        parts += [f"{self.slow} still being written after ten minutes"] if self.slow else []
        parts += [f"last: {last_outcome}"] if last_outcome else []
        parts += [self.trouble] if self.trouble else []
        parts += [f"offline: {', '.join(map(display_path, self.offline))}"] if self.offline else []
        parts += [f"{self.unread_folders} folders cannot be read"] if self.unread_folders else []
        parts += ["the brake is active, no photo is moved: see culld status"] if brake else []
        parts += ["the clock is in doubt: see culld status"] if clock_doubt else []
        parts += ["config reload failed, still using the last valid policy"] if self.policy_problem else []
        return "; ".join(parts)

    def to_json(self, name: str, pid: int) -> str:
        """Return the report that `culld status` reads; `name` is "running" or "stopped"."""
        return json.dumps(
            {
                "state": name,
                "pid": pid,
                "waiting": self.waiting,
                "more": self.is_full,
                "slow": self.slow,
                "trouble": self.trouble,
                "policy": self.policy,
                "policy_problem": self.policy_problem,
                "passed_over": dict(self.passed_over),
                "watch": [display_path(root) for root in self.roots],
                "offline": {display_path(folder): why for folder, why in self.offline.items()},
                "unwatched": self.unwatched,
                "unread_folders": self.unread_folders,
                "unread": self.unread,
                "quarantine": display_path(self.quarantine),
            }
        )
