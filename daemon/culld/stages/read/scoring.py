"""The defect network: its input and output arrays, and the scores made from its output."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from culld.inference.litert import LiteRtNetwork
from culld.inference.network import ArraySpec, Signature
from culld.records import NETWORK_DEFECTS, Scores
from culld.records.frame import HEIGHT, WIDTH

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from culld.inference.network import Arrays, Network

_FRAME: Final = "frame"
_PROBABILITIES: Final = "probabilities"
DEFECT_NETWORK: Final = Signature(
    inputs={_FRAME: ArraySpec((HEIGHT, WIDTH, 3), "uint8")},
    outputs={_PROBABILITIES: ArraySpec((len(NETWORK_DEFECTS),), "float32")},
)
"""RGB frames as `imaging.decode` returns them; a calibrated probability for each of `NETWORK_DEFECTS`, in its order."""


def open_litert(model: Path, threads: int = 1) -> LiteRtNetwork:
    """Load `model.tflite`; raises SystemFaultError if it is not a network of the signature `DEFECT_NETWORK`."""
    return LiteRtNetwork(model, DEFECT_NETWORK, threads)


def score(network: Network, frame: NDArray[np.uint8]) -> Scores:
    """Return the scores of one frame, uint8 RGB (`HEIGHT`, `WIDTH`, 3), by a network of that signature."""
    return scores_in(network.run(inputs_of(frame)))


def inputs_of(frame: NDArray[np.uint8]) -> Arrays:
    """Return the inputs of the network for one frame."""
    return {_FRAME: frame[None]}


def scores_in(outputs: Arrays) -> Scores:
    """Return the scores in the outputs of the network for one frame."""
    (row,) = outputs[_PROBABILITIES]
    blur, under, over = map(float, row)
    return Scores(blur, under, over)


_BALANCE: Final = 8.0
_WEIGHT: Final = 0.5
_LEAST, _MOST = -3.0, 0.5


def with_light_value(scores: Scores, light_value: float | None) -> Scores:
    """Return the scores with `under` weighed by the light value of the camera settings; the same scores without one.

    A dark photo at settings for little light is more likely a night than an exposure that is too short: the log-odds
    move by 0.5 for each EV from 8 on, by -3 at the least and 0.5 at the most. This is the ratio of two normal
    distributions, nights around 5.5 EV (deviation 4) and under-exposed daylight around 11 EV (3.2): medians of 54 and
    123 photographs with EXIF were 3.7 and 11. Above, it is limited, because dark pictures are made in daylight as well.
    """
    if light_value is None or not 0 < scores.under < 1:
        return scores
    moved = min(max(_WEIGHT * (light_value - _BALANCE), _LEAST), _MOST)
    odds = math.log(scores.under / (1 - scores.under)) + moved
    return replace(scores, under=1 / (1 + math.exp(-odds)))
