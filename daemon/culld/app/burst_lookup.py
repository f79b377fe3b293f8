"""The frames of the series of a photo, read from the journal with three queries whatever their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from culld.app.burst_view import BurstFrame, burst_view
from culld.records import ReviewState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from culld.app.burst_view import BurstView
    from culld.records import Policy, RecordedDecision, RootedPath

MOST_FRAMES: Final = 60
"""The decisions of a longer series, such as a time lapse, are not all read: only those taken nearest to the photo."""

_MOST_NAMES: Final = 30_000  # each decision holds the names of all frames, and a thousand take 4 ms to read
_FEWEST: Final = 9


class SeriesReader(Protocol):
    """The queries of the journal that find the frames of a series."""

    def series_around(self, plan: str, series_id: str) -> list[int]:
        """Return the numbers of the decisions about the photos of a series, those taken nearest to a decision first."""
        ...

    def reviewed(self, ids: Iterable[int]) -> dict[int, tuple[RecordedDecision, ReviewState]]:
        """Return decisions with the states of their photos, by their numbers."""
        ...


def find_burst_view(
    journal: SeriesReader,
    history: Sequence[RecordedDecision],
    rules: Policy,
    is_gone: Callable[[RootedPath], bool] = lambda _: False,
) -> BurstView | None:
    """Return the series of the photo of the last decision in a history as a view; None if it is in no series.

    A decision of a person names no series: then that of an earlier decision about the photo counts. `is_gone` returns
    whether the file of a photo is not there any more.
    """
    case = history[-1]
    asked = next((each for each in reversed(history) if each.series_id and each.digests & case.digests), None)
    if asked is None:
        return None
    numbers = journal.series_around(asked.plan, asked.series_id)
    most = _most_frames(asked)
    found = [
        BurstFrame(number, decision, state, is_gone(decision.now))
        for number, (decision, state) in journal.reviewed(numbers[:most]).items()
        if state is not ReviewState.SUPERSEDED
    ]
    frames = sorted(_last_of_each(found), key=_taken_at)
    return burst_view(frames, asked.series, rules, max(0, len(numbers) - most))


def _most_frames(asked: RecordedDecision) -> int:
    """Return how many decisions are read: fewer of a series of thousands, so that the page does not wait for it."""
    members = 1 if asked.series is None else max(1, len(asked.series.members))
    return min(MOST_FRAMES, max(_FEWEST, _MOST_NAMES // members))


def _last_of_each(found: Iterable[BurstFrame]) -> list[BurstFrame]:
    """Return the last decision about each photo."""
    ordered = sorted(found, key=lambda frame: frame.number)
    return list({(frame.decision.place, frame.decision.digest): frame for frame in ordered}.values())


def _taken_at(frame: BurstFrame) -> tuple[datetime, Path]:
    return frame.decision.photo.camera.taken_at or frame.decision.made_at, frame.decision.place.path
