"""The measurement of a clip while it is decoded: it holds one frame, and a few numbers of each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from culld.records.clips import ClipSample, Transfer
from culld.segment.clips.shake import Position, displacement, next_position, shake_at, spectrum
from culld.segment.clips.stillness import change, is_black, still_ranges

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from culld.imaging.clip_reader import ClipLook
    from culld.records import Scores
    from culld.records.clips import ClipFacts
    from culld.segment.clips.shake import Spectrum

    Pixels = NDArray[np.uint8]
    Scorer = Callable[[Pixels], Scores]


class ClipMeter:
    """Takes the looks at a clip in order, and gives its samples at the end; `score` judges upright RGB pictures."""

    def __init__(self, facts: ClipFacts, score: Scorer) -> None:
        """Start with nothing seen."""
        self._facts = facts
        self._score = score
        self._path: list[Position] = []
        self._changes: list[float] = []
        self._scored: list[tuple[float, Scores, bool]] = []
        self._spectrum: Spectrum | None = None
        self._last: ClipLook | None = None

    def take(self, look: ClipLook) -> None:
        """Measure one frame against the one before."""
        self._follow(look)
        self._changes.append(self._change(look))
        self._last = look
        if look.pixels is not None:
            black = is_black(look.small, self._facts.transfer)
            self._scored.append((look.at, self._score(look.pixels), black))

    def samples(self) -> tuple[ClipSample, ...]:
        """Return the samples of all that was taken, in order."""
        times = np.array([each.at for each in self._path])
        still = still_ranges(times.tolist(), self._changes)
        return tuple(self._sample(at, scores, times, still, black=black) for at, scores, black in self._scored)

    def _change(self, look: ClipLook) -> float:
        """Return the change since the last frame; 0 at a key frame, which encodes the same picture in another way.

        Where every frame is a key frame, all are encoded alike, and their change counts.
        """
        if self._last is None:
            return 0.0
        return 0.0 if look.is_key and not self._last.is_key else change(self._last.lines, look.lines)

    def _follow(self, look: ClipLook) -> None:
        seen = spectrum(look.small)
        if not self._path:
            self._path.append(Position(look.at, 0.0, 0.0, 0))
        else:
            shape = (look.small.shape[0], look.small.shape[1])
            moved = None
            if seen is not None and self._spectrum is not None and seen.shape == self._spectrum.shape:
                moved = displacement(self._spectrum, seen, shape)
            self._path.append(next_position(self._path[-1], moved, look.at, math.hypot(*shape)))
        self._spectrum = seen

    def _sample(
        self, at: float, scores: Scores, times: NDArray[np.float64], still: list[tuple[float, float]], *, black: bool
    ) -> ClipSample:
        judged = self._facts.transfer is Transfer.SDR
        return ClipSample(
            at,
            scores.blur,
            scores.under if judged else None,
            scores.over if judged else None,
            None if black else shake_at(self._path, times, at),
            black,
            not black and any(start <= at <= end for start, end in still),
        )
