"""Correct the probabilities of under- and over-exposure by the light on the subject.

The defect network judges the whole frame: white paper looks over-exposed to it, black cloth under-exposed. This second
stage measures the ground and what stands before it, and moves the network's log-odds by a small network of its own. A
frame without a white or black ground keeps the network's probabilities exactly.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.errors import SystemFaultError
from culld.subject.light import MEASURES, measure
from culld.subject.light import Measure as M

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.records import Scores
    from culld.subject.light import Box

    Vector = NDArray[np.float64]

_GROUND: Final = (0.02, 0.10)
"""The shares of the frame that a ground covers where the correction begins, and where it reaches its full strength."""

_SURE: Final = 1e-4  # probabilities nearer to 0 or 1 than this count as this far from it
_INPUTS: Final = MEASURES + 2
_OUTPUTS: Final = 4
_REACH: Final = 4.0  # no input counts as further from its mean than this many standard deviations


@dataclass(frozen=True, slots=True)
class Member:
    """One small network with a hidden layer: arrays (inputs, hidden), (hidden,), (hidden, 4) and (4,)."""

    first: Vector
    first_bias: Vector
    second: Vector
    second_bias: Vector

    def moves(self, inputs: Vector) -> Vector:
        """Return the four outputs (n, 4) for standardised inputs (n, inputs)."""
        hidden = np.tanh(inputs @ self.first + self.first_bias)
        return np.asarray(hidden @ self.second + self.second_bias)


@dataclass(frozen=True, slots=True)
class Correction:
    """The fitted second stage: mean and standard deviation of its inputs (inputs,), and its networks."""

    centre: Vector
    scale: Vector
    members: tuple[Member, ...]

    def correct(self, frame: NDArray[np.uint8], scores: Scores, faces: Sequence[Box] = ()) -> Scores:
        """Return the scores with `under` and `over` corrected by the light on the subject; `blur` stays.

        `frame` is the network frame, uint8 RGB (`HEIGHT`, `WIDTH`, 3); `faces` are boxes (x, y, width, height) in
        fractions 0..1 of this frame, thus of a portrait photo after it was turned.
        """
        measures = measure(frame, faces)
        if not any(_strengths(measures)):
            return scores
        under, over = self.probabilities(measures[None], np.array([[scores.under, scores.over]]))[0]
        return replace(scores, under=float(under), over=float(over))

    def probabilities(self, measures: Vector, network: Vector) -> Vector:
        """Return corrected probabilities (n, 2) of under and over; from `measure` (n, inputs) and the network's (n, 2)."""
        odds = log_odds(network)
        inputs = np.clip((np.concatenate([measures, odds], axis=1) - self.centre) / self.scale, -_REACH, _REACH)
        white, black = _strengths(measures.T)
        moved = [moved_odds(member.moves(inputs), odds, white, black) for member in self.members]
        return np.asarray(1 / (1 + np.exp(-np.mean(moved, axis=0))))
