"""What a day brought: above all what would have been moved, had culld been let."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from culld.records import Verdict, display_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culld.records import RecordedDecision

_SHOWN: Final = 20


def daily_summary(cases: Sequence[RecordedDecision]) -> str:
    """A few lines on the decisions of a time; empty if there were none."""
    if not cases:
        return ""
    moved = sum(case.verdict is Verdict.QUARANTINE for case in cases)
    held = [case for case in cases if case.would_reject and case.verdict is not Verdict.QUARANTINE]
    lines = [f"{len(cases)} photos judged, {moved} moved, {len(held)} would have been moved, had culld been let"]
    lines += [f"  {display_path(case.place.path)}  ({case.reason})" for case in held[:_SHOWN]]
    lines += [f"  ... and {len(held) - _SHOWN} more: see culld policy simulate"] if len(held) > _SHOWN else []
    return "\n".join(lines)
