"""The differences between figures that were measured twice; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

TOLERANCE = 0.01
"""By how much a share may differ; a count is compared as the share of its pictures."""

_TOTALS = ("pictures", "scenes", "draws")


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return one line for each figure that differs by more than the tolerance, or that only one side has.

    Both are nested figures by name. Totals must be equal.
    """
    return list(_differences(old, new, "", None))


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], path: str, total: int | None) -> Iterator[str]:
    total = new.get("pictures", total)
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name), new.get(name)
        here = f"{path}{name}"
        if isinstance(was, dict) and isinstance(now, dict):
            yield from _differences(was, now, f"{here}, ", total)
        elif was is None or now is None:
            yield f"{here}: {'is new' if was is None else 'is gone'}"
        elif isinstance(was, dict) or isinstance(now, dict) or _apart(name, was, now, total):
            yield f"{here}: was {was}, is {now}"


def _apart(name: str, was: float, now: float, total: int | None) -> bool:
    if name in _TOTALS or (isinstance(now, int) and not total):
        return was != now
    gap = abs(was - now) / (total or 1) if isinstance(now, int) else abs(was - now)
    return gap > TOLERANCE + 1e-9  # 0.97 - 0.96 is a little more than 0.01 for a computer
