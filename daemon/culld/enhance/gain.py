"""Whether a repair of JPEG compression is a real gain, without the original: a small fitted rule.

The quality of the file is not enough, because a photo may have been compressed twice, or its tables lost. The rule
predicts how many dB of noise ratio a repair gains from the blocks in the photo before and after, how much it changed,
and how rough the photo is. It is fitted on pairs with a known original, and travels in the card of the network.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.errors import SystemFaultError
from culld.inference.card import read_card

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Plane = NDArray[np.float32]
    Rows = NDArray[np.float64]
    """Features: (n, `FEATURES`)."""
    Gains = NDArray[np.float64]

KEY: Final = "gain"
"""Where a card keeps the rule, among its `calibration`."""
SQUARE: Final = 256
"""The side in px of the squares that are looked at: at most `_SQUARES` of them along each side of a photo."""
FINE_QUALITY: Final = 90
"""From this quality of JPEG on nothing is repaired unasked: on grainy pictures of quality 97 the rule accepts harm."""
COARSE_QUALITY: Final = 50
"""From this quality of JPEG on the daemon repairs none of the photos that the policy rejects: a person decides."""
FEATURES: Final = 10
_SQUARES: Final = 3
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)
_LOWEST, _HIGHEST = -1.5, 3.0
_RIDGE: Final = 3.0
_MARGINS: Final = np.arange(0.1, 1.5, 0.05)
_WRONG: Final = 0.005


@dataclass(frozen=True, slots=True)
class GainRule:
    """The rule: a sum of the features and their squares, and the gain in dB from which a repair is accepted.

    `centre` and `scale` have `FEATURES` numbers; `weights` one for each term of `_terms`.
    """

    centre: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    margin: float

    def predicted(self, rows: Rows) -> Gains:
        """Return the gain in dB that each row of features promises."""
        found: Gains = _terms(rows, np.array(self.centre), np.array(self.scale)) @ np.array(self.weights)
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the rule as values of a card."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Gain:
    """The predicted gain of a repair in dB, and whether it is large enough to be accepted."""

    decibels: float
    is_real: bool


def gain(before: Pixels, after: Pixels, quality: int | None, rule: GainRule) -> Gain:
    """Return the predicted gain of a repair: both are uint8 RGB of one shape; `quality` is that of the file, if known.

    A repair that changes no pixel gains nothing.
    """
    if np.array_equal(before, after):
        return Gain(0.0, is_real=False)
    found = float(rule.predicted(features(before, after, quality)[None])[0])
    return Gain(found, is_real=found >= rule.margin)


def load_rule(folder: Path) -> GainRule:
    """Return the rule in the card of a model folder; raises SystemFaultError if there is none."""
    try:
        return rule_of(read_card(folder).calibration[KEY])
    except (KeyError, TypeError, ValueError) as error:
        raise SystemFaultError(
            f"{folder}: the card holds no rule of the gain ({error}): train the model again"
        ) from error


def rule_of(values: Mapping[str, Any]) -> GainRule:
    """Return the rule of a card's values; raises KeyError, TypeError or ValueError if they are not those of a rule."""
    centre, scale, weights = (tuple(map(float, values[name])) for name in ("centre", "scale", "weights"))
    if len(centre) != FEATURES or len(scale) != FEATURES or len(weights) != 1 + 2 * FEATURES:
        raise ValueError(f"it is not one of {FEATURES} features")
    return GainRule(centre, scale, weights, float(values["margin"]))


def fitted(rows: Rows, gains: Gains, check_rows: Rows, check_gains: Gains) -> GainRule:
    """Fit the rule to the gains of known pairs in dB, and its margin to those of other scenes.

    The margin is the lowest one at which at most one in 200 accepted repairs of the second set makes a photo worse, and
    at most one in 200 of those that make it worse are accepted.
    """
    centre, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-6)
    terms = _terms(rows, centre, scale)
    wanted = np.clip(gains, _LOWEST, _HIGHEST)
    weights = np.linalg.solve(terms.T @ terms + _RIDGE * np.eye(terms.shape[1]), terms.T @ wanted)
    rule = GainRule(tuple(centre.tolist()), tuple(scale.tolist()), tuple(weights.tolist()), 0.0)
    predicted = rule.predicted(check_rows)
    worse = check_gains <= 0
    wrong = [int((worse & (predicted >= margin)).sum()) for margin in _MARGINS]
    fewest = [min(int((predicted >= margin).sum()), int(worse.sum())) for margin in _MARGINS]
    allowed = [
        margin for margin, count, of in zip(_MARGINS, wrong, fewest, strict=True) if count <= _WRONG * of or not count
    ]
    return GainRule(rule.centre, rule.scale, rule.weights, round(float(allowed[0] if allowed else _MARGINS[-1]), 2))


def features(before: Pixels, after: Pixels, quality: int | None) -> NDArray[np.float64]:
    """Return the features of a repair, float64 (`FEATURES`): means over at most nine squares; no quality is 100."""
    found = [_of_square(before[place], after[place]) for place in _squares(before.shape[0], before.shape[1])]
    return np.array([*np.mean(found, axis=0), (100 if quality is None else quality) / 100])


def _squares(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Yield squares that are spread evenly, or the whole of a shorter side."""
    downward, across = (_places(length) for length in (height, width))
    yield from ((slice(top, top + SQUARE), slice(left, left + SQUARE)) for top in downward for left in across)


def _places(length: int) -> list[int]:
    count = min(_SQUARES, max(1, length // SQUARE))
    return [int(place) for place in np.linspace(0, max(0, length - SQUARE), count)]


def _of_square(before: Pixels, after: Pixels) -> list[float]:
    """Return nine features: of the size of the change, of blocks, and of roughness; most as logarithms."""
    old, new = before @ _LUMA, after @ _LUMA
    colour = float(np.sqrt(np.mean(np.square(after.astype(np.float32) - before))))
    light = float(np.sqrt(np.mean(np.square(new - old))))
    rough, still_rough = _curvature(old), _curvature(new)
    levels = (0.05 + colour, 0.05 + light, 0.05 + _blocks(old), 0.05 + _blocks(new), 0.05 + _blocks(new - old))
    steps = float(np.mean([np.abs(np.diff(old, axis=axis)).mean() if old.shape[axis] > 1 else 0 for axis in (0, 1)]))
    roughness = float(rough.mean())
    others = (0.1 + steps, 0.1 + roughness, (0.1 + float(still_rough.mean())) / (0.1 + roughness))
    return [*(float(np.log(value)) for value in (*levels, *others)), float((rough < 2).mean())]


def _blocks(plane: Plane) -> float:
    """Return how much larger the steps are at every eighth line than at others, whichever lines stand out most."""
    found = []
    for turned in (plane, plane.T):
        if turned.shape[0] < 4 * 8:
            continue
        steps = np.abs(np.diff(turned, axis=0)).mean(axis=1)
        excess = steps[1:-1] - (steps[:-2] + steps[2:]) / 2
        phases = np.array([excess[start::8].mean() for start in range(8)])
        found.append(float(phases.max() - np.median(phases)))
    return float(np.mean(found)) if found else 0.0


def _curvature(plane: Plane) -> Plane:
    """Return how far each pixel lies from its four neighbours, in levels; 0 where a picture has none inside."""
    if min(plane.shape) < 3:
        return np.zeros((1, 1), np.float32)
    inner = plane[1:-1, 1:-1]
    found: Plane = np.abs(4 * inner - plane[:-2, 1:-1] - plane[2:, 1:-1] - plane[1:-1, :-2] - plane[1:-1, 2:])
    return found


def _terms(rows: Rows, centre: Gains, scale: Gains) -> Rows:
    """Return 1, the scaled features, and their squares: (n, 1 + 2 k). Products of two fitted other scenes no better."""
    scaled = (rows - centre) / scale
    return np.column_stack([np.ones(len(scaled)), scaled, np.square(scaled)])
