"""Counts of frames that the policy moves, and of rejects that a false series spares, with Wilson intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from bench.series.sets import Drop
from culld.app.review.intervals import wilson
from culld.records import Assessment, Policy, Scores, Series, SeriesKind, Stack, Verdict
from culld.stages.decide.decide import decide
from culld.stages.decide.thresholds import rejected
from culld.stages.group.series import series_of
from harness import factories


@dataclass(frozen=True, slots=True)
class Shot:
    """A judged photo: whether it belongs to the series of its drop, whether it was put out of focus, its assessment."""

    assessment: Assessment
    series: bool
    soft: bool


@dataclass(frozen=True, slots=True)
class JudgedDrop:
    """The judged photos of a drop."""

    kind: str
    source: str
    scene: str
    shots: tuple[Shot, ...]


@dataclass(slots=True)
class Tally:
    """The counts of one kind of drop.

    `rejects` reach `reject`; `moved` of them go to quarantine. `alone` frames of a series were taken for no series.
    `emptied` series have no frame left.
    """

    drops: int = 0
    frames: int = 0
    alone: int = 0
    rejects: int = 0
    moved: int = 0
    emptied: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def line(self, kind: str) -> str:
        """Return a row of the table."""
        cells = (
            kind,
            f"{self.drops}",
            f"{self.frames}",
            share(self.alone, self.frames),
            f"{self.rejects}",
            share(self.moved, self.frames),
            share(self.rejects - self.moved, self.rejects),
            f"{self.emptied}",
            ", ".join(f"{name} {count}" for name, count in self.kinds.most_common()),
        )
        return f"| {' | '.join(cells)} |"


HEAD = (
    "| kind | drops | frames | not taken for a series | past `reject` by their scores | moved, of all frames"
    " | spared, of those past `reject` | drops that lose all frames | taken for |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def judged(drop: Drop, scores: Iterable[tuple[Scores, Assessment]]) -> JudgedDrop:
    """Return a drop with the assessments of its photos."""
    shots = [
        Shot(replace(found, result=result), frame.series, frame.soft)
        for frame, (result, found) in zip(drop.frames, scores, strict=True)
    ]
    return JudgedDrop(drop.kind, drop.source, drop.scene, tuple(shots))


def tallies(drops: Sequence[JudgedDrop], policy: Policy) -> dict[str, Tally]:
    """Return the counts by kind; photos beside a series are not counted, nor soft frames of a burst."""
    found: dict[str, Tally] = {}
    for drop in drops:
        series = series_of(shot.assessment for shot in drop.shots)
        has_series = any(shot.series for shot in drop.shots)
        counted = [shot for shot in drop.shots if shot.series == has_series]
        tally = found.setdefault(drop.kind, Tally())
        tally.drops += 1
        verdicts = [_verdict(shot, series.get(shot.assessment.photo.place), policy) for shot in counted]
        tally.emptied += all(verdict is Verdict.QUARANTINE for verdict in verdicts)
        for shot, verdict in zip(counted, verdicts, strict=True):
            one = series.get(shot.assessment.photo.place)
            if not (one is not None and one.kind is SeriesKind.BURST and shot.soft):
                _count(tally, one, verdict, reject=bool(rejected(shot.assessment, policy)))
    return found


def _count(tally: Tally, series: Series | None, verdict: Verdict, *, reject: bool) -> None:
    tally.frames += 1
    tally.alone += series is None
    tally.rejects += reject
    tally.moved += verdict is Verdict.QUARANTINE
    if series is not None:
        tally.kinds[str(series.kind)] += 1


def _verdict(shot: Shot, series: Series | None, policy: Policy) -> Verdict:
    stack = Stack(shot.assessment, series=series)
    return decide(stack, policy, now=factories.NOON, restored=False).verdict


def share(count: int, total: int) -> str:
    """Return a share in per cent with its 95 % Wilson interval."""
    if not total:
        return "-"
    low, high = wilson(count, total)
    return f"{count} = {100 * count / total:.2f} % ({100 * low:.2f}-{100 * high:.2f})"
