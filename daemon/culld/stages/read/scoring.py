"""The defect network: its input and output arrays, and the scores made from its output."""

from __future__ import annotations

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
