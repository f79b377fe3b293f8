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
from culld.subject.ground import may_have_ground
from culld.subject.light import BLACK_GROUND, MEASURES, WHITE_GROUND, measure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.records import Scores
    from culld.subject.light import Box

    Vector = NDArray[np.float64]

_GROUND: Final = (0.02, 0.10)
"""The shares of the frame that a ground covers where the correction begins, and where it reaches its full strength."""

_RAISED: Final = 0.95
"""The correction alone raises no probability above this: a reject needs the defect network as well."""

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
    """The fitted second stage: mean and standard deviation of its inputs (inputs,), and its networks.

    `network` is the digest of the defect network that it was fitted for; it does not fit another one.
    """

    centre: Vector
    scale: Vector
    members: tuple[Member, ...]
    network: str

    def correct(self, frame: NDArray[np.uint8], scores: Scores, faces: Sequence[Box] = ()) -> Scores:
        """Return the scores with `under` and `over` corrected by the light on the subject; `blur` stays.

        `frame` is the network frame, uint8 RGB (`HEIGHT`, `WIDTH`, 3); `faces` are boxes (x, y, width, height) in
        fractions 0..1 of this frame, thus of a portrait photo after it was turned.
        """
        if not may_have_ground(frame, _GROUND[0]):  # most photos: it saves 2 ms
            return scores
        measures = measure(frame, faces)[None]
        if not strengths(measures).any():
            return scores
        under, over = self.probabilities(measures, np.array([[scores.under, scores.over]]))[0]
        return replace(scores, under=float(under), over=float(over))

    def probabilities(self, measures: Vector, network: Vector) -> Vector:
        """Return corrected probabilities (n, 2) of under and over; none is raised above 0.95.

        `measures` (n, MEASURES) are those of `measure`, `network` (n, 2) the network's probabilities of under and over.
        """
        odds = log_odds(network)
        inputs = np.clip((np.concatenate([measures, odds], axis=1) - self.centre) / self.scale, -_REACH, _REACH)
        strength = strengths(measures)
        moved = np.mean([_moved(odds, member.moves(inputs), strength) for member in self.members], axis=0)
        return np.asarray(np.minimum(1 / (1 + np.exp(-moved)), np.maximum(network, _RAISED)))


def load_correction(file: Path) -> Correction:
    """Read the parameters (`models/exposure/params.json`); raises SystemFaultError if they do not fit this module."""
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        centre, scale = (np.array(stored[key], np.float64) for key in ("centre", "scale"))
        members = tuple(_member(each) for each in stored["members"])
        network = str(stored["network"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SystemFaultError(f"{file}: the correction of exposure cannot be read ({error})") from error
    if centre.shape != (_INPUTS,) or scale.shape != (_INPUTS,) or not members or not (scale > 0).all():
        raise SystemFaultError(f"{file}: the correction of exposure is not for the {_INPUTS} inputs of this version")
    return Correction(centre, scale, members, network)


def strengths(measures: Vector) -> Vector:
    """Return how far a white and a black ground let the correction act, 0..1, (n, 2), for measures (n, MEASURES)."""
    shares = measures[:, [WHITE_GROUND, BLACK_GROUND]]
    return np.asarray(np.clip((shares - _GROUND[0]) / (_GROUND[1] - _GROUND[0]), 0.0, 1.0))


def log_odds(probabilities: Vector) -> Vector:
    """Return the log-odds of probabilities, which are first brought to 1e-4..1 - 1e-4."""
    inside = np.clip(np.asarray(probabilities, np.float64), _SURE, 1 - _SURE)
    return np.asarray(np.log(inside / (1 - inside)))


def _member(stored: dict[str, list[float]]) -> Member:
    first, first_bias, second, second_bias = (
        np.array(stored[key], np.float64) for key in ("first", "first_bias", "second", "second_bias")
    )
    hidden = len(first_bias)
    if first.shape != (_INPUTS, hidden) or second.shape != (hidden, _OUTPUTS) or second_bias.shape != (_OUTPUTS,):
        raise ValueError("a network has other shapes")
    return Member(first, first_bias, second, second_bias)


def _moved(odds: Vector, moves: Vector, strength: Vector) -> Vector:
    """Return the log-odds (n, 2) of under and over after the moves (n, 4), where grounds let them act (n, 2).

    A white ground moves `over` both ways and can only raise `under`; a black one can only lower `under` and raise
    `over`.
    """
    white, black = strength.T
    rise = np.logaddexp(0.0, moves[:, 1:])  # over on black; under on black, which falls by it; under on white
    under = odds[:, 0] - black * rise[:, 1] + white * rise[:, 2]
    over = odds[:, 1] + white * moves[:, 0] + black * rise[:, 0]
    return np.stack([under, over], axis=1)
