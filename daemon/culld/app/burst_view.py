"""The series of a photo as a view: the best frame of a burst, and what is worse in each other one; pure.

It decides nothing: the best frame is the one that a decision names, else the one that `best_of` finds in the recorded
figures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.app.burst_remarks import remarks_on
from culld.app.remark import Remark, Side
from culld.records import BY_PERSON, ReviewState, Scores, Series, SeriesKind, display_path
from culld.stages.decide.bursts import best_of
from culld.stages.decide.feedback import DELETED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from culld.records import Policy, RecordedDecision, RootedPath, SeriesMembership, Subject

_NAMED: Final = "(policy.protect.bursts)"  # the end of the reason of the best frame of a burst
_MOST_NAMES: Final = 3
_STATES: Final = {
    ReviewState.TAG_CONFIRMED: "tagged, confirmed",
    ReviewState.REJECTED: "in quarantine",
    ReviewState.CONFIRMED: "in quarantine, confirmed",
    ReviewState.RESTORED: "brought back by a person",
    ReviewState.UNTAGGED: "tag removed by a person",
    ReviewState.LEFT: "left the quarantine",
}


@dataclass(frozen=True, slots=True)
class BurstFrame:
    """The last decision about a photo of a series: its number in the journal, and the state of the photo.

    `is_gone`: its file is not there any more.
    """

    number: int
    decision: RecordedDecision
    state: ReviewState
    is_gone: bool = False

    @property
    def name(self) -> str:
        """The file name at the decision."""
        return display_path(Path(self.decision.place.relative.name))

    @property
    def is_taken_out(self) -> bool:
        """Whether the photo was deleted, or rejected by a person: it is no frame to keep."""
        decision = self.decision
        return self.is_deleted or (decision.rule == BY_PERSON and decision.away)

    @property
    def is_deleted(self) -> bool:
        """Whether the photo was deleted."""
        return self.is_gone or self.decision.released in {DELETED, "trash"}

    @property
    def state_text(self) -> str:
        """The state of the photo in words."""
        if self.is_gone:
            return "gone"
        if self.decision.rule == BY_PERSON and self.decision.away:
            return "rejected by a person"
        return _STATES.get(self.state, self.state.value)


@dataclass(frozen=True, slots=True)
class FrameNote:
    """A frame of a series and how it differs from the best one; `is_best` also for the other photos of its shot.

    `remarks` is None if the frame is not compared with another one. `is_close`: another frame is no worse by much than
    the best one.
    """

    frame: BurstFrame
    is_best: bool = False
    remarks: tuple[Remark, ...] | None = None
    is_close: bool = False

    def on(self, side: Side) -> tuple[Remark, ...]:
        """Return the remarks of one side."""
        return tuple(remark for remark in self.remarks or () if remark.side is side)

    @property
    def text(self) -> str:
        """What is worse, then what is better, then what is neither, as clauses; empty if nothing was compared."""
        if self.is_best:
            return f"the {self._mark('best frame')}"
        return self._line(lambda remark: remark.text, "; ")

    @property
    def short(self) -> str:
        """The same for a line below a picture."""
        return self._mark("best") if self.is_best else self._line(lambda remark: remark.short, " · ")

    def _mark(self, name: str) -> str:
        return f"{name}, by a little" if self.is_close else name

    def _line(self, form: Callable[[Remark], str], between: str) -> str:
        if not self.remarks:
            return "" if self.remarks is None else "no recorded figure differs by much"
        worse, better, neither = ([form(remark) for remark in self.on(side)] for side in Side)
        if worse and better:
            better[0] = f"but {better[0]}"
        return between.join(filter(None, worse + better + neither))


@dataclass(frozen=True, slots=True)
class BurstView:
    """A series as it is known now: its frames in the order of time.

    `best` is the frame to keep; None if nothing is chosen from the series. `is_named`: a decision names it as the best.
    `sentence` says which one it is and why; `notes` are sentences on what is not known.
    """

    kind: SeriesKind
    best: BurstFrame | None
    is_named: bool
    sentence: str
    notes: tuple[str, ...]
    rows: tuple[FrameNote, ...]


def burst_view(
    frames: Sequence[BurstFrame], membership: SeriesMembership | None, rules: Policy, more: int = 0
) -> BurstView | None:
    """Return the view of a series; None without a frame, or if no decision about one knows its kind.

    `frames` are in the order of time, one of each photo. `membership` is the series at the decision about the photo
    that is asked about; None if it was alone then. `more` frames are too far away in time to be among them.
    """
    known = [frame.decision.series for frame in sorted(frames, key=lambda frame: frame.number)]
    kind = next((series.kind for series in reversed(known) if series is not None), None)
    if kind is None:
        return None
    notes = [*_membership_notes(frames, membership), *_far(more)]
    if kind is not SeriesKind.BURST:
        rows = tuple(FrameNote(frame) for frame in frames)
        return BurstView(kind, None, False, _whole(kind, len(_shots(frames)), rules), tuple(notes), rows)
    shots = _shots(frames)
    best = _best(shots, rules)
    if best is None:
        rows = tuple(FrameNote(frame) for frame in frames)
        return BurstView(kind, None, False, "No frame of this burst is left.", tuple(notes), rows)
    named = _named(shots)
    is_named = named == best
    notes += [*_other_name(named, best), *_missing_figures(shots)]
    rows = tuple(_noted(frame, best, rules) for frame in frames)
    close = [row.frame.name for row in rows if _is_close(row)]
    rows = tuple(replace(row, is_close=bool(close)) if row.is_best else row for row in rows)
    if close:
        verb, them = ("is", "both") if len(close) == 1 else ("are", "them")
        notes.insert(0, f"{_listed(close)} {verb} not worse by much: look at {them}.")
    return BurstView(kind, best, is_named, _sentence(best, shots, is_named, rules), tuple(notes), rows)


def _is_close(row: FrameNote) -> bool:
    """Return whether no recorded figure calls a frame, which may be kept, worse than the best one."""
    return row.remarks is not None and not row.on(Side.WORSE) and not row.frame.is_taken_out


def _shots(frames: Sequence[BurstFrame]) -> list[BurstFrame]:
    """Return one photo of each shot: the first one."""
    seen: set[RootedPath] = set()
    found = []
    for frame in frames:
        if frame.decision.place not in seen:
            found.append(frame)
        seen |= {frame.decision.place, *frame.decision.siblings}
    return found


def _best(shots: Sequence[BurstFrame], rules: Policy) -> BurstFrame | None:
    """Return the best frame: the one that a decision names if it knew all frames, else the best of those left."""
    left = [frame for frame in shots if not frame.is_taken_out and isinstance(_result(frame), Scores)]
    named = _named(left)
    if named is not None and named.decision.series is not None:
        members = {*named.decision.series.members}
        if all({frame.decision.place, *frame.decision.siblings} & members for frame in left):
            return named
    if not left:
        return None
    best = best_of(Series(SeriesKind.BURST, tuple(frame.decision.stack.primary for frame in left)), rules)
    return next(frame for frame in left if frame.decision.place == best.photo.place)


def _result(frame: BurstFrame) -> object:
    return frame.decision.stack.primary.result


def _named(frames: Sequence[BurstFrame]) -> BurstFrame | None:
    """Return the frame that the last decision which names one calls the best; None if none is named."""
    named = [frame for frame in frames if frame.decision.reason.endswith(_NAMED)]
    return max(named, key=lambda frame: frame.number, default=None)


def _noted(frame: BurstFrame, best: BurstFrame, rules: Policy) -> FrameNote:
    if frame.decision.place in {best.decision.place, *best.decision.siblings}:
        return FrameNote(frame, is_best=True)
    return FrameNote(frame, False, remarks_on(frame.decision.stack.primary, best.decision.stack.primary, rules))


def _sentence(best: BurstFrame, shots: Sequence[BurstFrame], is_named: bool, rules: Policy) -> str:  # noqa: FBT001 (a fact)
    count, left = len(shots), sum(not frame.is_taken_out for frame in shots)
    if count == 1:
        return f"{best.name} is the only frame of its burst that is known."
    if left == 1:
        return f"{best.name} is the only frame of its burst that is left."
    basis = "sharpness and exposure" if _measured(shots) == count else "their scores alone"
    first = f"{best.name} is the best of {left} frames{'' if left == count else ' that are left'}"
    if is_named:
        return f"{first}: its decision names it {_NAMED}."
    off = "" if rules.protect.bursts else "; policy.protect.bursts is off, so that protects it from nothing"
    return f"{first} by {basis}{off}."


def _whole(kind: SeriesKind, count: int, rules: Policy) -> str:
    article = "" if count == 1 else "s"
    together = f"This is a {kind} of {count} shot{article}: they belong together, and none of them is the best."
    if rules.protect.series:
        return f"{together} All of them stay (policy.protect.series)."
    return f"{together} policy.protect.series is off: each of them is judged by itself."


def _other_name(named: BurstFrame | None, best: BurstFrame) -> Iterator[str]:
    if named is None or named == best:
        return
    if named.is_taken_out:
        why = "is deleted" if named.is_deleted else "was rejected by a person"
        yield f"{named.name} was named the best before; it {why}."
    else:
        yield f"{named.name} was named the best before other frames of the burst arrived."


def _membership_notes(frames: Sequence[BurstFrame], membership: SeriesMembership | None) -> Iterator[str]:
    """Yield which frames arrived after the decision, and of which the journal has no decision."""
    if membership is None:
        if len(_shots(frames)) > 1:
            yield "The other frames arrived after this decision."
        return
    late = [
        frame.name
        for frame in _shots(frames)
        if not {frame.decision.place, *frame.decision.siblings} & {*membership.members}
    ]
    if late:
        yield f"{_listed(late)} arrived after this decision."
    known = {place for frame in frames for place in (frame.decision.place, *frame.decision.siblings)}
    unknown = [display_path(Path(place.relative.name)) for place in membership.members if place not in known]
    if unknown:
        yield f"The journal has no decision about {_listed(unknown)}."


def _far(more: int) -> Iterator[str]:
    if more:
        yield f"The burst is longer: {more} decisions about frames farther away in time are left out."


def _missing_figures(shots: Sequence[BurstFrame]) -> Iterator[str]:
    """Yield what the journal does not know of the frames, once for all of them."""
    count, missing = len(shots), len(shots) - _measured(shots)
    if missing and count > 1:
        of = "" if missing == count else f" of {missing} of {count} frames"
        yield f"Sharpness{of} was not measured; `culld compare A B` measures which of two frames is sharper."
    if any(subject is not None and subject.faces for subject in map(_subject, shots)):
        yield "Whether eyes are closed is not measured."


def _measured(shots: Sequence[BurstFrame]) -> int:
    """Return of how many frames the sharpness in full resolution is known."""
    return sum(subject is not None and subject.sharpness is not None for subject in map(_subject, shots))


def _subject(frame: BurstFrame) -> Subject | None:
    return frame.decision.stack.primary.subject


def _listed(names: Collection[str]) -> str:
    some = list(names)[:_MOST_NAMES]
    more = len(names) - len(some)
    if more:
        return f"{', '.join(some)} and {more} more"
    return f"{', '.join(some[:-1])} and {some[-1]}" if len(some) > 1 else some[0]
