"""Counted time: the time that has certainly passed, from a wall clock and an uptime clock that must agree; no I/O.

The wall clock of a machine can be wrong: an empty battery, a wrong answer of a time server, a mistyped year. Photos and
decisions that are removed by age must therefore be old by counted time as well, which setting the clock cannot advance:

- while the machine runs, the uptime counts; it advances during sleep, and no program can set it;
- over a restart of the machine the wall clock counts, but at most seven days, and not if the step is not trusted.

A step of the wall clock is trusted if it is at most 31 days longer than the uptime step (the machine was switched off,
or suspended by its host), and at most a day shorter (a hardware clock in local time). After any other step the clock is
in doubt, until it agrees again with the last reading before the doubt, or has made no such step for 24 counted hours.

The rule cannot distinguish a machine that was off for up to a month from a clock that is wrong by as much; each restart
with such a clock counts for up to seven days. If the machine is off for more than a week, a week counts, so that photos
on it are kept longer than configured.

The age of a decision comes from its number: numbers grow, and a mark holds the last number at some counted time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final, Self

_SHORTER: Final = timedelta(days=1)
_LONGER: Final = timedelta(days=31)
_COUNTED: Final = timedelta(days=7)
_PROBATION: Final = timedelta(days=1)
_MARK_EVERY: Final = timedelta(days=1)
_LATE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Reading:
    """The clocks at one moment: wall time, the boot identifier of the machine, and its uptime in seconds."""

    wall: datetime
    boot: str
    uptime_s: float


@dataclass(frozen=True, slots=True)
class Mark:
    """The number of the last decision at a counted time."""

    counted: timedelta
    number: int


@dataclass(frozen=True, slots=True)
class Elapsed:
    """The time counted so far; `agreed` is the last reading without doubt, `why` the reason for the doubt, or empty."""

    last: Reading
    agreed: Reading
    counted: timedelta = timedelta()
    doubted_at: timedelta | None = None
    why: str = ""
    marks: tuple[Mark, ...] = ()

    @classmethod
    def begin(cls, reading: Reading) -> Self:
        """Return the state at the first reading: no time is counted."""
        return cls(reading, reading)

    def at(self, reading: Reading) -> Self:
        """Return the state after another reading of the clocks."""
        passed, trusted = _between(self.last, reading)
        counted = self.counted + passed
        is_over = self.doubted_at is None or counted - self.doubted_at >= _PROBATION
        found = replace(self, last=reading, counted=counted)
        if _between(self.agreed, reading)[1] or (trusted and is_over):
            return replace(found, agreed=reading, doubted_at=None, why="")
        if not trusted:
            return replace(found, doubted_at=counted, why=_doubt(self.last, reading))
        return found

    def marked(self, number: int) -> Self:
        """Return the state with a mark if the last one is at least a day old; old marks close together are dropped.

        A decision whose mark was dropped counts as younger than it is, by a day or by a twentieth of its age.
        """
        if self.marks and self.counted - self.marks[-1].counted < _MARK_EVERY:
            return self
        marks = (*self.marks, Mark(self.counted, number))
        kept = list(marks[:1])
        for mark, following in pairwise(marks[1:]):
            if following.counted - kept[-1].counted > _LATE * (self.counted - following.counted):
                kept.append(mark)
        return replace(self, marks=(*kept, *marks[1:][-1:]))

    def last_of_age(self, age: timedelta) -> int:
        """Return the number of the last decision that is at least `age` old by counted time; 0 if none is."""
        return max((mark.number for mark in self.marks if self.counted - mark.counted >= age), default=0)


def _between(before: Reading, now: Reading) -> tuple[timedelta, bool]:
    """Return the time that counts between two readings, and whether the step of the wall clock is trusted."""
    is_same_start = now.boot == before.boot and now.uptime_s >= before.uptime_s
    ran = timedelta(seconds=now.uptime_s - before.uptime_s if is_same_start else now.uptime_s)
    longer = now.wall - before.wall - ran
    trusted = -_SHORTER <= longer <= _LONGER
    if is_same_start or not trusted:
        return ran, trusted
    return ran + min(max(longer, timedelta()), _COUNTED), trusted


def _doubt(before: Reading, now: Reading) -> str:
    ran, _ = _between(before, now)
    moved = f"{before.wall:%Y-%m-%d %H:%M} to {now.wall:%Y-%m-%d %H:%M} (UTC)"
    return f"the clock of this machine went from {moved} while it ran for {ran.total_seconds() / 3600:.1f} hours"


def to_json(elapsed: Elapsed) -> dict[str, Any]:
    """Return the state as values that JSON can represent."""
    return {
        "last": _reading_out(elapsed.last),
        "agreed": _reading_out(elapsed.agreed),
        "counted_s": elapsed.counted.total_seconds(),
        "doubted_at_s": None if elapsed.doubted_at is None else elapsed.doubted_at.total_seconds(),
        "why": elapsed.why,
        "marks": [[mark.counted.total_seconds(), mark.number] for mark in elapsed.marks],
    }


def from_json(found: Any) -> Elapsed:
    """Return the state of a result of `to_json`; raises ValueError, KeyError, TypeError or OverflowError otherwise."""
    doubted_at_s = found["doubted_at_s"]
    return Elapsed(
        _reading_in(found["last"]),
        _reading_in(found["agreed"]),
        timedelta(seconds=found["counted_s"]),
        None if doubted_at_s is None else timedelta(seconds=doubted_at_s),
        str(found["why"]),
        tuple(Mark(timedelta(seconds=counted_s), int(number)) for counted_s, number in found["marks"]),
    )


def _reading_out(reading: Reading) -> list[Any]:
    return [reading.wall.isoformat(), reading.boot, reading.uptime_s]


def _reading_in(found: Any) -> Reading:
    wall, boot, uptime_s = found
    return Reading(datetime.fromisoformat(wall).astimezone(UTC), str(boot), float(uptime_s))
