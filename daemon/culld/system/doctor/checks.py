"""What the doctor finds: one thing that was looked at, and the command that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How a check came out: fine, worth knowing, or in the way of culling."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what was looked at, how it is, and (unless it is fine) what to do."""

    name: str
    health: Health
    what: str
    fix: str = ""


def ok(name: str, what: str) -> Check:
    """All is well."""
    return Check(name, Health.OK, what)


def warn(name: str, what: str, fix: str) -> Check:
    """Culling works, but not as well as it could."""
    return Check(name, Health.WARN, what, fix)


def bad(name: str, what: str, fix: str) -> Check:
    """Culling does not work until this is mended."""
    return Check(name, Health.BAD, what, fix)
