"""The result of a check of `culld doctor`, and the command that repairs the problem."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """The result of a check: no problem, an optional part is missing, culling is limited, or it does not work."""

    OK = "ok"
    NOTE = "note"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: the name of the check, its health, what was found, and the command that repairs it (or empty)."""

    name: str
    health: Health
    what: str
    fix: str = ""


def ok(name: str, what: str) -> Check:
    """Return a finding that needs no action."""
    return Check(name, Health.OK, what)


def note(name: str, what: str, fix: str) -> Check:
    """Return a finding about an optional part that is not installed, and the command that installs it."""
    return Check(name, Health.NOTE, what, fix)


def warn(name: str, what: str, fix: str) -> Check:
    """Return a finding with which culling works, but not as well as it could."""
    return Check(name, Health.WARN, what, fix)


def bad(name: str, what: str, fix: str) -> Check:
    """Return a finding with which culling does not work until it is repaired."""
    return Check(name, Health.BAD, what, fix)
